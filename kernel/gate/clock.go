package gate

import (
	"sync"
	"time"
)

// Time since boot, which is also the time of formulas (Formula.ExpiresAt), and timers.

// TimeNow returns the time since boot. id has Read.
func TimeNow(id ID) (time.Duration, error) {
	t, _, err := enter(timeNow, id)
	if err != nil {
		return 0, err
	}
	now := core.now()
	t.Release()
	return time.Duration(now), nil
}

// TimeSleepUntil sleeps until a time since boot, or until the capability is no longer good. id has
// Read.
func TimeSleepUntil(id ID, at time.Duration) error {
	g, err := enterBlocking(timeSleep, id)
	if err != nil {
		return err
	}
	defer g.end()
	return timeSleep.fail(g.sleepUntil(uint64(max(at, 0))))
}

// timer is a time for which calls wait. It costs nothing while none does.
type timer struct {
	sync.Mutex
	next    uint64 // 0: none
	every   uint64 // 0: once
	stopped chan struct{}
}

// TimerCreate makes a timer that fires at a time since boot, and then each time that every has
// passed (0: once). It returns a capability for it, which the caller's space holds. id is one for
// Roots.Clock with Create.
//
// Errors: of id; *ArgumentError for a time that is negative; ErrNoSpace.
func TimerCreate(id ID, at, every time.Duration) (ID, error) {
	if at < 0 || every < 0 {
		return 0, timerCreate.bad("at, every", "times that are not negative")
	}
	t, _, err := enter(timerCreate, id)
	if err != nil {
		return 0, err
	}
	defer t.Release()
	x := &timer{next: max(uint64(at), 1), every: uint64(every), stopped: make(chan struct{})}
	made, err := newObject(typeTimer, x, nil, usual)
	return made, timerCreate.fail(err)
}

// TimerWait waits until the timer fires, and returns how often it has since the last time that
// somebody was told. Of those who wait for one firing one is told. id has Read.
//
// Errors: of id; ErrStopped.
func TimerWait(id ID) (fired int, err error) {
	g, err := enterBlocking(timerWait, id)
	if err != nil {
		return 0, err
	}
	defer g.end()
	x := value[*timer](g.object)
	for {
		fired, at := x.take(core.now())
		switch {
		case fired > 0:
			return fired, nil
		case at == 0:
			return 0, timerWait.fail(ErrStopped)
		}
		if err := g.sleep(at, x.stopped); err != nil {
			return 0, timerWait.fail(err)
		}
	}
}

// take tells how often the timer has fired by now, and else when it will.
func (x *timer) take(now uint64) (fired int, at uint64) {
	x.Lock()
	defer x.Unlock()
	if x.next == 0 || now < x.next {
		return 0, x.next
	}
	if x.every == 0 {
		x.next = 0
		return 1, 0
	}
	n := (now-x.next)/x.every + 1
	x.next += n * x.every
	return int(n), x.next
}

// TimerStop stops a timer: it doesn't fire any more, and who waits gets ErrStopped. id has Write.
func TimerStop(id ID) error {
	t, o, err := enter(timerStop, id)
	if err != nil {
		return err
	}
	defer t.Release()
	x := value[*timer](o)
	x.Lock()
	defer x.Unlock()
	x.next = 0
	select {
	case <-x.stopped:
	default:
		close(x.stopped)
	}
	return nil
}
