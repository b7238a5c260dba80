//go:build race

package ipc

// parker as in park.go, by a channel of capacity 1.
type parker struct{ tokens chan struct{} }

func (p *parker) open() { p.tokens = make(chan struct{}, 1) }

func (p *parker) park(partner *parker) {
	partner.unpark()
	<-p.tokens
}

func (p *parker) unpark() {
	if p == nil {
		return
	}
	select {
	case p.tokens <- struct{}{}:
	default:
	}
}

func (p *parker) clear() {
	select {
	case <-p.tokens:
	default:
	}
}
