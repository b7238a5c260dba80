package vm

// Errno is an error number of Linux; 0 is success.
type Errno uint32

const (
	EPERM  Errno = 1
	EIO    Errno = 5
	ENOMEM Errno = 12
	EFAULT Errno = 14
	EEXIST Errno = 17
	ENODEV Errno = 19
	EINVAL Errno = 22
)

// Protections of mmap(2). On x86-64 any of them makes a page readable.
const (
	ProtNone  = 0
	ProtRead  = 1
	ProtWrite = 2
	ProtExec  = 4

	protAll = ProtRead | ProtWrite | ProtExec
)

// Flags of mmap(2), as x86-64 numbers them (Linux asm-generic/mman-common.h,
// asm-generic/mman.h). Those that are missing are accepted and have no effect.
const (
	MapShared         = 0x1
	MapPrivate        = 0x2
	MapSharedValidate = 0x3
	MapFixed          = 0x10
	MapAnonymous      = 0x20
	Map32Bit          = 0x40
	MapGrowsDown      = 0x100
	MapLocked         = 0x2000
	MapNoReserve      = 0x4000
	MapPopulate       = 0x8000
	MapStack          = 0x20000
	MapHugeTLB        = 0x40000
	MapFixedNoReplace = 0x100000

	mapType = 0xf
)

// Advice of madvise(2).
const (
	AdviseNormal     = 0
	AdviseRandom     = 1
	AdviseSequential = 2
	AdviseWillNeed   = 3
	AdviseDontNeed   = 4
	AdviseFree       = 8
	AdviseDontFork   = 10
	AdviseDoFork     = 11
	AdviseHugePage   = 14
	AdviseNoHugePage = 15
	AdviseDontDump   = 16
	AdviseDoDump     = 17
	AdviseWipeOnFork = 18
	AdviseKeepOnFork = 19
	AdviseCold       = 20
	AdvisePageOut    = 21
	AdviseCollapse   = 25
)
