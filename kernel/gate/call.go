package gate

import "pdac/kernel/cap"

// call is the number of a gated call.
type call uint8

const (
	capDerive call = iota
	capGrant
	capNarrow
	capRevoke
	capTransfer
	capDelete
	capInfo
	capFund
	spaceCreate
	spaceInfo
	spaceRun
	spaceGo
	taskYield
	taskSleep
	taskInfo
	taskSpawn
	taskJoin
	taskKill
	taskTune
	taskState
	memoryMap
	memoryUnmap
	memoryBytes
	memoryInfo
	endpointCreate
	endpointSend
	endpointTrySend
	endpointRecv
	endpointTryRecv
	endpointCall
	endpointReply
	endpointReplyRecv
	endpointClose
	consoleRead
	consoleWrite
	timeNow
	timeSleep
	timerCreate
	timerWait
	timerStop
	logAppend
	logRead
	statsRead
	powerOff
	powerReboot
	memoryPolicy
	memoryPlacement
	taskPolicy
	calls

	slots = 64 // in tables by call: a power of two needs no check of bounds
)

// entry is a call in the table.
type entry struct {
	name string
	typ  cap.Type
	need Perm
	gas  int64
}

// callTable is what each call asks for before anything else happens. Gas is in units of about a
// thousand instructions, rounded up, of what the call does when it doesn't have to wait.
//
// The functions are not in it: each call's function is the exported one of its name, which names
// its entry by the constant. (Rejected: a field with a function value. All calls would need one
// type of arguments, which escape to the heap through an indirect call.)
//
// Calls of family cap ask the table of capabilities, which has rules of its own about who may: an
// authority, its formula, its account. Here they are for their names and counts.
var callTable = [slots]entry{
	capDerive:         {"cap.derive", anyType, Delegate, 0},
	capGrant:          {"cap.grant", anyType, Delegate, 0},
	capNarrow:         {"cap.narrow", anyType, Revoke, 0},
	capRevoke:         {"cap.revoke", anyType, Revoke, 0},
	capTransfer:       {"cap.transfer", anyType, Transfer, 0},
	capDelete:         {"cap.delete", anyType, Delete, 0},
	capInfo:           {"cap.info", anyType, 0, 0},
	capFund:           {"cap.fund", anyType, All, 0},
	spaceCreate:       {"space.create", typeSpaces, Create, 8},
	spaceInfo:         {"space.info", typeSpace, Read, 1},
	spaceRun:          {"space.run", typeSpace, Execute, 1},
	spaceGo:           {"space.go", typeSpace, Execute, 2},
	taskYield:         {"task.yield", typeTask, Execute, 1},
	taskSleep:         {"task.sleep", typeTask, Execute, 2},
	taskInfo:          {"task.info", typeTask, Read, 1},
	taskSpawn:         {"task.spawn", typeTask, Create, 32},
	taskJoin:          {"task.join", typeThread, Read, 2},
	taskKill:          {"task.kill", typeThread, Delete, 1},
	taskTune:          {"task.tune", typeThread, Write, 2},
	taskState:         {"task.state", typeThread, Read, 1},
	memoryMap:         {"memory.map", typeMemory, Create, 4},
	memoryUnmap:       {"memory.unmap", typeMemory, Delete, 4},
	memoryBytes:       {"memory.bytes", typeMemory, Read, 1},
	memoryInfo:        {"memory.info", typeMemory, Read, 1},
	endpointCreate:    {"endpoint.create", typeEndpoints, Create, 16},
	endpointSend:      {"endpoint.send", typeEndpoint, Write, 1},
	endpointTrySend:   {"endpoint.trysend", typeEndpoint, Write, 1},
	endpointRecv:      {"endpoint.recv", typeEndpoint, Read, 1},
	endpointTryRecv:   {"endpoint.tryrecv", typeEndpoint, Read, 1},
	endpointCall:      {"endpoint.call", typeEndpoint, Write, 2},
	endpointReply:     {"endpoint.reply", typeEndpoint, Read, 1},
	endpointReplyRecv: {"endpoint.replyrecv", typeEndpoint, Read, 2},
	endpointClose:     {"endpoint.close", typeEndpoint, Delete, 1},
	consoleRead:       {"console.read", typeConsole, Read, 2},
	consoleWrite:      {"console.write", typeConsole, Write, 2},
	timeNow:           {"time.now", typeClock, Read, 1},
	timeSleep:         {"time.sleep", typeClock, Read, 2},
	timerCreate:       {"timer.create", typeClock, Create, 2},
	timerWait:         {"timer.wait", typeTimer, Read, 2},
	timerStop:         {"timer.stop", typeTimer, Write, 1},
	logAppend:         {"log.append", typeLog, Write, 2},
	logRead:           {"log.read", typeLog, Read, 1},
	statsRead:         {"stats.read", typeStats, Read, 16},
	powerOff:          {"power.off", typePower, Execute, 1},
	powerReboot:       {"power.reboot", typePower, Execute, 1},
	memoryPolicy:      {"memory.policy", typeMemory, Write, 4},
	memoryPlacement:   {"memory.placement", typeMemory, Read, 4},
	taskPolicy:        {"task.policy", typeTask, Write, 1},
}
