package queue

import "github.com/puzpuzpuz/xsync/v4"

// xsyncQueue is xsync's ring of slots with turns, after Rigtorp's MPMCQueue.
type xsyncQueue struct {
	q *xsync.MPMCQueue[uint64]
}

func newXsync() Paired { return xsyncQueue{xsync.NewMPMCQueue[uint64](Capacity)} }

func (q xsyncQueue) Pairs(n int) (sum int) {
	for i := range n {
		q.q.TryEnqueue(uint64(i))
		v, _ := q.q.TryDequeue()
		sum += int(v)
	}
	return sum
}

func (q xsyncQueue) Produce(n int) {
	for i := range n {
		for p := patience(0); !q.q.TryEnqueue(uint64(i)); {
			p.lose()
		}
	}
}

func (q xsyncQueue) Consume(n int) (sum int) {
	for range n {
		v, ok := q.q.TryDequeue()
		for p := patience(0); !ok; v, ok = q.q.TryDequeue() {
			p.lose()
		}
		sum += int(v)
	}
	return sum
}
