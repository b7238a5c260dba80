package numa

import (
	"sync/atomic"

	"pdac/kernel/lockfree"
)

// The frame allocator: all RAM, by node, as 4 KiB frames and whole 2 MiB blocks.
//
// Paper: L. Wrenger, F. Rommel, A. Halbuer, C. Dietrich, D. Lohmann, "LLFree: Scalable and
// Optionally-Persistent Page-Frame Allocation", USENIX ATC 2023. From it come the bitmap under a
// counter, the order in which the two are updated, and reservation instead of per-CPU lists. Its
// trees of blocks are replaced by two stacks a node.
//
// Each 2 MiB of physical address space is a block: a bitmap of free frames, and a state word with
// their count and the places where the block can be found. To allocate, first take one off the
// count, which is a permission for one frame, then clear a bit; to free, set the bit, then add one
// to the count. So
//
//	bits set >= count + permissions out                                (1)
//
// and a permission always finds its bit. A count of 512 means that no permission is out and no free
// is under way; one CAS from 512 to 0 allocates the whole block, and the bitmap is then private to
// its new owner. Frames of such a block are like any other allocated frames, so each may be freed
// alone, and a block is whole again at the moment its last frame comes home: coalescing is not a
// step of its own.
//
// A block is found in up to three places, each with a flag in the state word: the node's stack of
// partly free blocks, the node's stack of whole ones, and a CPU's slot for that node (reserved). A
// block that changes in a stack's middle stays there; who pops it looks at its state. Between
// calls,
//
//	count > 0    =>  at least one flag is set                          (2)
//	count = 512  =>  the flag of the whole stack is set                (3)
//	a flag is set   <=>  the block is in that place, once              (4)
//
// The slot is the fast path. A CPU allocates from the block in its slot with two CAS on lines that
// no other CPU allocates from, and frees with two locked operations on the frame's own block. It
// leaves the block when that is exhausted.
//
// The count and the bitmap are all that decides who owns a frame. Stacks, slots and flags only say
// where to look, so it does not matter that a caller above the runtime is on another CPU than it
// says, nor that a stale slot is used.
//
// Alloc says no only when there was a moment at which all nodes in its order were dry, which takes
// care, since blocks travel between stacks and slots. See search in frames_alloc.go.
//
// Writers. free[w]: permission holders clear bits and owners of frames set them, by CAS. state:
// anyone, by CAS and Add. slot: anyone, by CAS and Swap; whoever takes a block out of a slot, and
// nobody else, clears the reserved flag. home, older, vote, ram: AddRange. Stacks: see
// lockfree.Stack; who sets a stack's flag pushes, who pops clears it.
//
// Linearization: Alloc and AllocHuge at the CAS that lowers the count, a failing Alloc at the end
// of its last pass but one; Free, FreeSet (all of it at once) and FreeHuge at the addition to the count or, if a failing Alloc
// missed the frame and nobody has taken it yet, when the dry word is wet again.
//
// Reclamation: none; blocks are type-stable.
//
// Progress: lock-free, all but AddRange. A loop repeats only if another call took or freed a frame,
// or moved a block, in between.
//
// Calls to keep apart:
//
//	            | Alloc* Free* Stats | AddRange
//	Alloc* Free*|        no          | only while a range is added that meets, inside
//	Stats       |                    | one block, a range of another node
//	AddRange    |                    | yes
//
// Rejected:
//   - per-CPU stacks of frames, refilled and drained in batches: a frame in
//     transit is in nobody's sight, so Alloc fails, or waits, while memory is free; a
//     link per frame; coalescing must find and drain the lists; a double free
//     passes unseen. A bitmap has none of that at the same two CAS.
//   - a bitmap without the count: one locked operation less, but a whole
//     block can't be taken in one step, and the way back from half of it
//     is again memory in transit.
//   - buddy orders between 4 KiB and 2 MiB: the MMU has no use for them.

const (
	// FrameSize is the size of a frame in bytes, that of the smallest page.
	FrameSize = 4 << 10
	// BlockFrames is the number of frames in a block, that of a 2 MiB page.
	BlockFrames = 512

	wordFrames = 64
	blockWords = BlockFrames / wordFrames
)

// Block is the allocator's record of 2 MiB of physical address space. The zero Block has no RAM.
type Block struct {
	free [blockWords]atomic.Uint64 // bit set: the frame is free. A cache line

	state atomic.Uint64
	home  atomic.Uint32 // node; constant once frames of the block were given out
	older uint32        // the block added before this one, +1; constant once published in Frames.newest
	vote  int32         // frames by which home leads; AddRange's own
	_     [lockfree.CacheLine - 20]byte

	ram [blockWords]atomic.Uint64 // bit set: the frame exists; not looked at if stateFull
}

// The state word.
const (
	stateCount    = 1<<10 - 1         // free frames less permissions out, 0 to BlockFrames
	statePartial  = 1 << 10 << partly // in the home node's stack of partly free blocks
	stateWhole    = 1 << 10 << wholly // in the home node's stack of whole blocks
	stateReserved = 1 << 12           // in a CPU's slot
	stateRAM      = 1 << 13           // has RAM
	stateFull     = 1 << 14           // all of it is RAM
	stateTaken    = 1 << 16           // one: frames given out under this reservation, in the bits from here up

	statePlaces = statePartial | stateWhole | stateReserved
)

// The stacks of a node, and their links in Frames.
const (
	partly = iota
	wholly
	stacks
)

// FrameCPU is one CPU's part of the allocator, on cache lines of its own.
type FrameCPU struct {
	slot   [MaxNodes]atomic.Uint32 // by node: reserved block +1, or 0
	local  atomic.Uint64           // frames given out of the CPU's node, but for those still in a stateTaken
	remote atomic.Uint64           // of other nodes, likewise
	_      [lockfree.CacheLine - 16]byte
}

// frameNode is a node's part. The first line is read by each Free and hardly ever written; the
// second is written whenever a block moves.
type frameNode struct {
	dry    atomic.Uint64 // see search
	frames atomic.Uint64 // frames that exist
	_      [lockfree.CacheLine - 16]byte

	stack [stacks]lockfree.Stack
	moves atomic.Uint64 // moves of blocks begun <<32 | moves under way
	_     [lockfree.CacheLine - 24]byte
}

// begin and end enclose each move of a block from one place to another, during which it may be in
// none.
func (n *frameNode) begin() { n.moves.Add(1<<32 + 1) }
func (n *frameNode) end()   { n.moves.Add(^uint64(0)) }

// Frames is the allocator. Its methods may be called below and above the runtime. A frame is named
// by its number, physical address / FrameSize.
type Frames struct {
	// Constant after Init.
	blocks  []Block
	next    [stacks][]uint32
	cpus    []FrameCPU
	cpuNode []uint8

	newest atomic.Uint32 // the block added last, +1; Block.older leads to all others

	nodes [MaxNodes]frameNode
}

// FramesConfig carries the allocator's memory, zeroed. The entries of a block are touched only if
// AddRange named a frame of it; the rest of Blocks, NextPartial and NextWhole need not be
// populated.
type FramesConfig struct {
	Blocks      []Block  // by physical address / 2 MiB
	NextPartial []uint32 // as long as Blocks
	NextWhole   []uint32 // as long as Blocks
	CPUs        []FrameCPU
	CPUNode     []uint8 // node of each CPU, as long as CPUs
}

// Init takes over the memory in c. There are no frames until AddRange.
//
// Preconditions: f is zero, and nobody else uses it yet.
func (f *Frames) Init(c FramesConfig) {
	if len(c.NextPartial) < len(c.Blocks) || len(c.NextWhole) < len(c.Blocks) || len(c.CPUNode) < len(c.CPUs) {
		panic("numa: frame tables of unequal lengths")
	}
	f.blocks = c.Blocks
	f.next[partly] = c.NextPartial
	f.next[wholly] = c.NextWhole
	f.cpus = c.CPUs
	f.cpuNode = c.CPUNode
}
