package main

import (
	"errors"
	"fmt"
	"time"

	"pdac/kernel/gate"
)

// typed reads the console's line, which is the program's with console=off: a line in pieces, and one that is
// typed after a reader was cut off, who must not have taken anything of it along.
func typed() {
	fmt.Println("reading a line")
	fmt.Printf("read %q\n", line(root.Console))
	id := must(gate.CapDerive(root.Console, 0, gate.Read, gate.Options{}))
	done := make(chan error)
	go func() {
		_, err := gate.ConsoleRead(id, make([]byte, 100))
		done <- err
	}()
	err := gate.TaskSleep(root.Task, time.Millisecond) // so that it waits, as a rule
	check(err == nil, "task.sleep: %v", err)
	err = gate.CapRevoke(root.Console, id)
	check(err == nil, "cap.revoke: %v", err)
	err = <-done
	check(errors.Is(err, gate.ErrRevoked), "a reader that was cut off: %v", err)
	fmt.Println("reading another line")
	fmt.Printf("read %q\n", line(root.Console))
}

// line reads up to the end of a line, some bytes at a time.
func line(id gate.ID) string {
	var text []byte
	for len(text) == 0 || text[len(text)-1] != '\n' {
		p := make([]byte, 4)
		n, err := gate.ConsoleRead(id, p)
		check(err == nil && n > 0, "console.read: %d, %v", n, err)
		text = append(text, p[:n]...)
	}
	return string(text)
}
