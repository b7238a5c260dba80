package main

//line innocent.go:1
import . "syscall"

var _ = Getpid
