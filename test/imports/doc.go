// Package imports keeps DESIGN.md's rooms: who may import whom, and that no
// package below the runtime has code that runs when the program starts. It is
// host code.
package imports
