package linux

// Results of system calls are what the kernel puts in RAX: a value, or a negated error number (errno(3)).
const (
	eperm        int64 = -1
	enoent       int64 = -2
	esrch        int64 = -3
	eintr        int64 = -4
	eio          int64 = -5
	enxio        int64 = -6
	e2big        int64 = -7
	ebadf        int64 = -9
	echild       int64 = -10
	eagain       int64 = -11
	enomem       int64 = -12
	eacces       int64 = -13
	efault       int64 = -14
	ebusy        int64 = -16
	eexist       int64 = -17
	exdev        int64 = -18
	enodev       int64 = -19
	enotdir      int64 = -20
	eisdir       int64 = -21
	einval       int64 = -22
	enfile       int64 = -23
	emfile       int64 = -24
	enotty       int64 = -25
	efbig        int64 = -27
	enospc       int64 = -28
	espipe       int64 = -29
	erofs        int64 = -30
	emlink       int64 = -31
	epipe        int64 = -32
	erange       int64 = -34
	enametoolong int64 = -36
	enosys       int64 = -38
	enotempty    int64 = -39
	eloop        int64 = -40
	eoverflow    int64 = -75
	eopnotsupp   int64 = -95
	eafnosupport int64 = -97
	etimedout    int64 = -110
)

// blocked is what a handler returns when RAX is not its to set: the task is parked, yielded, dead, or has a whole new context.
// It is no result of any call.
const blocked int64 = -1 << 63
