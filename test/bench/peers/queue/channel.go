package queue

// channel is the language's own, blocking as it is meant to.
type channel chan uint64

func (q channel) Pairs(n int) (sum int) {
	for i := range n {
		q <- uint64(i)
		sum += int(<-q)
	}
	return sum
}

func (q channel) Produce(n int) {
	for i := range n {
		q <- uint64(i)
	}
}

func (q channel) Consume(n int) (sum int) {
	for range n {
		sum += int(<-q)
	}
	return sum
}
