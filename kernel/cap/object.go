package cap

// Object names what a capability is for: 63..48 type | 47..0 reference.
type Object uint64

// Type is a type of objects. 0 is none.
type Type uint16

const refBits = 48

// MakeObject names the object of a type. ref is below 2^47, and means what the type says; it holds
// no Go pointer.
func MakeObject(typ Type, ref uint64) Object {
	return Object(uint64(typ)<<refBits | ref&(1<<refBits-1))
}

// Type returns the object's type.
func (o Object) Type() Type { return Type(o >> refBits) }

// Ref returns the object's reference.
func (o Object) Ref() uint64 { return uint64(o) & (1<<refBits - 1) }
