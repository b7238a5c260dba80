package linux

import "pdac/kernel/sched"

// fileCall dispatches the calls on descriptors, files and events, and answers all that nobody knows.
func fileCall(cpu int, t sched.ID, c *sched.Context) int64 {
	return unknown(c.RAX)
}
