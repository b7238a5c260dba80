package linux

// Numbers of the system calls that are answered (x86-64, arch/x86/entry/syscalls/syscall_64.tbl of Linux).
const (
	nrRead              = 0
	nrWrite             = 1
	nrOpen              = 2
	nrClose             = 3
	nrStat              = 4
	nrFstat             = 5
	nrLstat             = 6
	nrPoll              = 7
	nrLseek             = 8
	nrMmap              = 9
	nrMprotect          = 10
	nrMunmap            = 11
	nrBrk               = 12
	nrRtSigaction       = 13
	nrRtSigprocmask     = 14
	nrRtSigreturn       = 15
	nrIoctl             = 16
	nrPread64           = 17
	nrPwrite64          = 18
	nrReadv             = 19
	nrWritev            = 20
	nrAccess            = 21
	nrPipe              = 22
	nrSchedYield        = 24
	nrMremap            = 25
	nrMincore           = 27
	nrMadvise           = 28
	nrDup               = 32
	nrDup2              = 33
	nrPause             = 34
	nrNanosleep         = 35
	nrGetitimer         = 36
	nrAlarm             = 37
	nrSetitimer         = 38
	nrGetpid            = 39
	nrClone             = 56
	nrExit              = 60
	nrKill              = 62
	nrUname             = 63
	nrFcntl             = 72
	nrFsync             = 74
	nrFdatasync         = 75
	nrTruncate          = 76
	nrFtruncate         = 77
	nrGetcwd            = 79
	nrChdir             = 80
	nrFchdir            = 81
	nrRename            = 82
	nrMkdir             = 83
	nrRmdir             = 84
	nrCreat             = 85
	nrLink              = 86
	nrUnlink            = 87
	nrSymlink           = 88
	nrReadlink          = 89
	nrChmod             = 90
	nrFchmod            = 91
	nrChown             = 92
	nrFchown            = 93
	nrLchown            = 94
	nrGettimeofday      = 96
	nrGetrlimit         = 97
	nrGetrusage         = 98
	nrSysinfo           = 99
	nrTimes             = 100
	nrGetuid            = 102
	nrGetgid            = 104
	nrGeteuid           = 107
	nrGetegid           = 108
	nrGetppid           = 110
	nrGetpgrp           = 111
	nrGetpgid           = 121
	nrGetsid            = 124
	nrRtSigpending      = 127
	nrRtSigtimedwait    = 128
	nrRtSigqueueinfo    = 129
	nrRtSigsuspend      = 130
	nrSigaltstack       = 131
	nrStatfs            = 137
	nrFstatfs           = 138
	nrGetpriority       = 140
	nrSetpriority       = 141
	nrSchedGetparam     = 143
	nrSchedGetscheduler = 145
	nrMlock             = 149
	nrMunlock           = 150
	nrMlockall          = 151
	nrMunlockall        = 152
	nrPrctl             = 157
	nrArchPrctl         = 158
	nrSetrlimit         = 160
	nrGettid            = 186
	nrReadahead         = 187
	nrTkill             = 200
	nrTime              = 201
	nrFutex             = 202
	nrSchedSetaffinity  = 203
	nrSchedGetaffinity  = 204
	nrEpollCreate       = 213
	nrGetdents64        = 217
	nrSetTidAddress     = 218
	nrTimerCreate       = 222
	nrTimerSettime      = 223
	nrTimerGettime      = 224
	nrTimerGetoverrun   = 225
	nrTimerDelete       = 226
	nrClockGettime      = 228
	nrClockGetres       = 229
	nrClockNanosleep    = 230
	nrExitGroup         = 231
	nrEpollWait         = 232
	nrEpollCtl          = 233
	nrTgkill            = 234
	nrMbind             = 237
	nrSetMempolicy      = 238
	nrGetMempolicy      = 239
	nrOpenat            = 257
	nrMkdirat           = 258
	nrMknodat           = 259
	nrFchownat          = 260
	nrNewfstatat        = 262
	nrUnlinkat          = 263
	nrRenameat          = 264
	nrLinkat            = 265
	nrSymlinkat         = 266
	nrReadlinkat        = 267
	nrFchmodat          = 268
	nrFaccessat         = 269
	nrPpoll             = 271
	nrUtimensat         = 280
	nrEpollPwait        = 281
	nrEventfd           = 284
	nrEventfd2          = 290
	nrEpollCreate1      = 291
	nrDup3              = 292
	nrPipe2             = 293
	nrPreadv            = 295
	nrPwritev           = 296
	nrRtTgsigqueueinfo  = 297
	nrPrlimit64         = 302
	nrGetcpu            = 309
	nrRenameat2         = 316
	nrGetrandom         = 318
	nrMlock2            = 325
	nrStatx             = 332
	nrClone3            = 435
	nrFaccessat2        = 439
	nrEpollPwait2       = 441
)

// IRQWait is PDAC's own call: it returns the interrupt count of vector RDI once that is not RSI (irq.go).
const IRQWait = 0x5000

// Crash is PDAC's own call: the kernel panics, by a nil dereference, so that its crash dump can be seen and tested.
// EACCES: the caller's space may not drive devices.
const Crash = 0x5001

// SetClass is PDAC's own call: it puts thread RDI into class RSI of package sched. EACCES: the caller's space may not drive
// devices. ESRCH: there is no such thread. EINVAL: there is no such class.
const SetClass = 0x5004

// SampleMemory is PDAC's own call: up to RDI pages are to tell who touches them next (vm.Sample). It returns how many, up to
// vm.SampleMost. EACCES: the caller's space may not drive devices.
const SampleMemory = 0x5003

// nrLimit bounds the numbers that are counted and named one by one; IRQWait counts under nrIRQWait, all others under nrOther.
const (
	nrLimit   = 512
	nrIRQWait = nrLimit - 2
	nrOther   = nrLimit - 1
)
