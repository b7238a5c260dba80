// Bodies of linknamed functions are elsewhere; this file lets the compiler accept that.
