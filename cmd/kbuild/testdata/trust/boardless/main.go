// Boardless is no image.
package main

func main() {}
