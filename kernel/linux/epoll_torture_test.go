package linux

import (
	"math/rand/v2"
	"sync"
	"testing"
)

// TestEpollTorture changes watches, closes files and epolls, and makes events, all on
// 4 CPUs at once. checkFiles then finds every record free.
func TestEpollTorture(t *testing.T) {
	const cpus = 4
	bootFiles(t, cpus, nil)
	var wg sync.WaitGroup
	for cpu := range cpus {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(cpu), 3))
			one, p := words(1)
			ev := event{in | out | epollEdge*uint32(cpu&1), 9, 9}
			var evs [8]event
			change, harvested := user(&ev[0]), user(&evs[0])
			for range 6000 {
				one[0] = 1
				ep, fd := uint64(3+rnd.IntN(4)), uint64(7+rnd.IntN(8))
				switch rnd.IntN(8) {
				case 0:
					r := sysEpollCreate1(cpu, 0)
					dupTo(cpu, uint64(r), ep, 0)
					sysClose(cpu, uint64(r))
				case 1:
					r := sysEventfd2(cpu, 1, oNonblock)
					dupTo(cpu, uint64(r), fd, 0)
					sysClose(cpu, uint64(r))
				case 2:
					sysClose(cpu, fd)
				case 3:
					sysEpollCtl(cpu, ep, 1+uint64(rnd.IntN(3)), fd, change)
				case 4:
					sysEpollCtl(cpu, ep, epollAdd, fd, change)
				case 5, 6:
					if n, f := fileAt(cpu, fd); n != 0 {
						if rnd.IntN(2) == 0 {
							f.write(cpu, 0, nil, p, 8, false)
						} else {
							f.read(cpu, 0, nil, p, 8, false)
						}
						putFile(cpu, n)
					}
				case 7:
					if n, f := fileAt(cpu, ep); n != 0 {
						if f.kind == kindEpoll {
							f.q.lock(cpu)
							f.harvest(cpu, harvested, 8)
							f.q.unlock()
						}
						putFile(cpu, n)
					}
				}
			}
		})
	}
	wg.Wait()
}
