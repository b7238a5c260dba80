package boot

import (
	"slices"
	"testing"
)

func TestArgs(t *testing.T) {
	o := Options{Kernel: "k.elf", CPUs: 2, Nodes: NoNodes, Exec: "cpu; gc", CPU: "qemu64", Raw: []string{"-s"}, Timeout: 1500e6}
	want := []string{"--kernel", "k.elf", "--timeout", "1.5", "--cpus", "2", "--nodes", "0", "--exec", "cpu; gc", "--", "-cpu", "qemu64", "-s"}
	if got := o.args(); !slices.Equal(got, want) {
		t.Errorf("args = %q, want %q", got, want)
	}
}

func TestResultJSONSkipsOtherLines(t *testing.T) {
	r := Result{Output: "boot {odd} line\n{\"other\":1}\npdac> numa -j\npdac> {\"nodes\":[{\"id\":0,\"total_bytes\":4096}]}\n"}
	var numa numaReport
	r.JSON(t, "nodes", &numa)
	if len(numa.Nodes) != 1 || numa.Nodes[0].TotalBytes != 4096 {
		t.Errorf("decoded %+v", numa)
	}
}
