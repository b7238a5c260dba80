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
	taskExecutor
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

	slots = 256 // in tables by call: the type's values, so no bounds are checked
)

// entry is a call in the table.
type entry struct {
	cap.Demand
	number call
	name   string
	gas    int64
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
	capDerive:         {cap.Demand{Type: anyType, Need: Delegate}, capDerive, "cap.derive", 0},
	capGrant:          {cap.Demand{Type: anyType, Need: Delegate}, capGrant, "cap.grant", 0},
	capNarrow:         {cap.Demand{Type: anyType, Need: Revoke}, capNarrow, "cap.narrow", 0},
	capRevoke:         {cap.Demand{Type: anyType, Need: Revoke}, capRevoke, "cap.revoke", 0},
	capTransfer:       {cap.Demand{Type: anyType, Need: Transfer}, capTransfer, "cap.transfer", 0},
	capDelete:         {cap.Demand{Type: anyType, Need: Delete}, capDelete, "cap.delete", 0},
	capInfo:           {cap.Demand{Type: anyType, Need: 0}, capInfo, "cap.info", 0},
	capFund:           {cap.Demand{Type: anyType, Need: All}, capFund, "cap.fund", 0},
	spaceCreate:       {cap.Demand{Type: typeSpaces, Need: Create}, spaceCreate, "space.create", 8},
	spaceInfo:         {cap.Demand{Type: typeSpace, Need: Read}, spaceInfo, "space.info", 1},
	spaceRun:          {cap.Demand{Type: typeSpace, Need: Execute}, spaceRun, "space.run", 1},
	spaceGo:           {cap.Demand{Type: typeSpace, Need: Execute}, spaceGo, "space.go", 2},
	taskYield:         {cap.Demand{Type: typeTask, Need: Execute}, taskYield, "task.yield", 1},
	taskSleep:         {cap.Demand{Type: typeTask, Need: Execute}, taskSleep, "task.sleep", 2},
	taskInfo:          {cap.Demand{Type: typeTask, Need: Read}, taskInfo, "task.info", 1},
	taskSpawn:         {cap.Demand{Type: typeTask, Need: Create}, taskSpawn, "task.spawn", 32},
	taskJoin:          {cap.Demand{Type: typeThread, Need: Read}, taskJoin, "task.join", 2},
	taskKill:          {cap.Demand{Type: typeThread, Need: Delete}, taskKill, "task.kill", 1},
	taskTune:          {cap.Demand{Type: typeThread, Need: Write}, taskTune, "task.tune", 2},
	taskState:         {cap.Demand{Type: typeThread, Need: Read}, taskState, "task.state", 1},
	taskExecutor:      {cap.Demand{Type: typeTask, Need: Create}, taskExecutor, "task.executor", 64},
	memoryMap:         {cap.Demand{Type: typeMemory, Need: Create}, memoryMap, "memory.map", 4},
	memoryUnmap:       {cap.Demand{Type: typeMemory, Need: Delete}, memoryUnmap, "memory.unmap", 4},
	memoryBytes:       {cap.Demand{Type: typeMemory, Need: Read}, memoryBytes, "memory.bytes", 1},
	memoryInfo:        {cap.Demand{Type: typeMemory, Need: Read}, memoryInfo, "memory.info", 1},
	endpointCreate:    {cap.Demand{Type: typeEndpoints, Need: Create}, endpointCreate, "endpoint.create", 16},
	endpointSend:      {cap.Demand{Type: typeEndpoint, Need: Write}, endpointSend, "endpoint.send", 1},
	endpointTrySend:   {cap.Demand{Type: typeEndpoint, Need: Write}, endpointTrySend, "endpoint.trysend", 1},
	endpointRecv:      {cap.Demand{Type: typeEndpoint, Need: Read}, endpointRecv, "endpoint.recv", 1},
	endpointTryRecv:   {cap.Demand{Type: typeEndpoint, Need: Read}, endpointTryRecv, "endpoint.tryrecv", 1},
	endpointCall:      {cap.Demand{Type: typeEndpoint, Need: Write}, endpointCall, "endpoint.call", 2},
	endpointReply:     {cap.Demand{Type: typeEndpoint, Need: Read}, endpointReply, "endpoint.reply", 1},
	endpointReplyRecv: {cap.Demand{Type: typeEndpoint, Need: Read}, endpointReplyRecv, "endpoint.replyrecv", 2},
	endpointClose:     {cap.Demand{Type: typeEndpoint, Need: Delete}, endpointClose, "endpoint.close", 1},
	consoleRead:       {cap.Demand{Type: typeConsole, Need: Read}, consoleRead, "console.read", 2},
	consoleWrite:      {cap.Demand{Type: typeConsole, Need: Write}, consoleWrite, "console.write", 2},
	timeNow:           {cap.Demand{Type: typeClock, Need: Read}, timeNow, "time.now", 1},
	timeSleep:         {cap.Demand{Type: typeClock, Need: Read}, timeSleep, "time.sleep", 2},
	timerCreate:       {cap.Demand{Type: typeClock, Need: Create}, timerCreate, "timer.create", 2},
	timerWait:         {cap.Demand{Type: typeTimer, Need: Read}, timerWait, "timer.wait", 2},
	timerStop:         {cap.Demand{Type: typeTimer, Need: Write}, timerStop, "timer.stop", 1},
	logAppend:         {cap.Demand{Type: typeLog, Need: Write}, logAppend, "log.append", 2},
	logRead:           {cap.Demand{Type: typeLog, Need: Read}, logRead, "log.read", 1},
	statsRead:         {cap.Demand{Type: typeStats, Need: Read}, statsRead, "stats.read", 16},
	powerOff:          {cap.Demand{Type: typePower, Need: Execute}, powerOff, "power.off", 1},
	powerReboot:       {cap.Demand{Type: typePower, Need: Execute}, powerReboot, "power.reboot", 1},
	memoryPolicy:      {cap.Demand{Type: typeMemory, Need: Write}, memoryPolicy, "memory.policy", 4},
	memoryPlacement:   {cap.Demand{Type: typeMemory, Need: Read}, memoryPlacement, "memory.placement", 4},
	taskPolicy:        {cap.Demand{Type: typeTask, Need: Write}, taskPolicy, "task.policy", 1},
}
