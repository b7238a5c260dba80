module pdac/test/bench/peers

go 1.26.4

require (
	github.com/puzpuzpuz/xsync/v4 v4.5.0
	golang.org/x/arch v0.32.0
	pdac v0.0.0
)

replace pdac => ../../..
