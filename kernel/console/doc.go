// Package console is the serial console: commands typed at a prompt, piped in, or given on the kernel's command line. It serves
// the world above the runtime.
//
// A command computes a Result, and the console writes that as text or, for -j, as one JSON object on one line, so that no
// command can write half of each. docs/CONSOLE.md lists the commands and their fields; a test compares it with the code.
//
// What the console knows of the machine comes through System, a struct of functions that return plain data.
package console
