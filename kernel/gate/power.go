package gate

// PowerOff ends the machine with an exit code from 0 to 255. id has Execute.
//
// Errors: of id; *ArgumentError; ErrMissing.
func PowerOff(id ID, code int) error {
	if code < 0 || code > 255 {
		return powerOff.bad("code", "0 to 255")
	}
	return powerCall(powerOff, id, func() bool {
		if core.power != nil {
			core.power(code)
		}
		return core.power != nil
	})
}

// PowerReboot restarts the machine. id has Execute.
//
// Errors: of id; ErrMissing.
func PowerReboot(id ID) error {
	return powerCall(powerReboot, id, func() bool {
		if core.reboot != nil {
			core.reboot()
		}
		return core.reboot != nil
	})
}

// powerCall makes a call after whose end there is nothing. False of f: the machine can't.
func powerCall(c call, id ID, f func() bool) error {
	t, _, err := enter(c, id)
	if err != nil {
		return err
	}
	defer t.Release()
	if !f() {
		return c.fail(ErrMissing)
	}
	return nil
}
