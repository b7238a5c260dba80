// Package liburcu has the sections and grace periods of liburcu's flavours memb, mb and qsbr
// (https://liburcu.org), where the tag liburcu says that it is installed. The loops are in C: the
// figures hold no call from Go.
package liburcu
