package boot

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pdac/kernel/numa/acpi/acpitest"
)

// tables writes an archive whose ACPI tables replace the firmware's, with the files of the workload as well if those are asked for,
// and returns its path.
func tables(t *testing.T, workload bool, tables ...[]byte) string {
	t.Helper()
	dir := t.TempDir()
	folder, out := filepath.Join(dir, "tables"), filepath.Join(dir, "files.cpio")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, b := range tables {
		if err := os.WriteFile(filepath.Join(folder, string(b[:4])+".aml"), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"run", "./cmd/mkarchive", "-o", out, folder + "=kernel/firmware/acpi"}
	if workload {
		Image(t, ".") // makes its files too
		args = append(args, "build/workload=workload")
	}
	cmd := exec.Command("go", args...)
	cmd.Dir = Root(t)
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, msg)
	}
	return out
}

// madt returns a MADT for QEMU's machines with CPUs of these APIC IDs, in this order.
func madt(ids ...uint8) []byte {
	entries := [][]byte{
		acpitest.Bytes(uint8(1), uint8(12), uint8(0), uint8(0), uint32(0xfec00000), uint32(0)), // I/O APIC
		acpitest.Bytes(uint8(2), uint8(10), uint8(0), uint8(0), uint32(2), uint16(0)),          // IRQ 0 is at its input 2
		acpitest.Bytes(uint8(4), uint8(6), uint8(0xff), uint16(0), uint8(1)),                   // NMI at LINT1
	}
	for _, id := range ids {
		entries = append(entries, acpitest.LocalAPIC(id, 1))
	}
	return acpitest.MADT(entries...)
}

// srat returns an SRAT with the domains of CPUs by APIC ID, and the two halves of 1 GiB of memory in those of the first and the
// last of the machine's own CPUs, APIC IDs 0 and 3.
func srat(domains map[uint8]uint32) []byte {
	entries := [][]byte{
		acpitest.Memory(0, 512*mib, domains[0], 1),
		acpitest.Memory(512*mib, 512*mib, domains[3], 1),
	}
	for id, d := range domains {
		entries = append(entries, acpitest.CPU(id, d, 1))
	}
	return acpitest.SRAT(3, entries...)
}

// A table of the archive takes the place of the firmware's, or gives what that has not, if it is sound.
func TestTablesOfTheArchive(t *testing.T) {
	Need(t)
	own := Options{CPUs: 4, Nodes: NoNodes, Mem: "1024M"} // without an SRAT
	shape := srat(map[uint8]uint32{0: 4, 3: 6, 1: 6})
	boot := func(t *testing.T, tables string, status int, texts ...string) (ids []int, nodes numaReport, output string) {
		o := own
		o.Initrd, o.Exec = tables, "cpu -j; numa -j; poweroff 5"
		r := Boot(t, o)
		r.Want(t, status, texts...)
		var cpus cpuReport
		r.JSON(t, "cpus", &cpus)
		r.JSON(t, "nodes", &nodes)
		for _, c := range cpus.CPUs {
			ids = append(ids, c.APICID)
		}
		return ids, nodes, r.Output
	}
	t.Run("sound", func(t *testing.T) {
		ids, numa, out := boot(t, tables(t, false, madt(0, 3, 1), shape), 5,
			"acpi: APIC is that of kernel/firmware/acpi/APIC.aml, not the firmware's", "acpi: SRAT is that of kernel/firmware/acpi/SRAT.aml")
		if len(ids) != 3 || ids[1] != 3 || ids[2] != 1 || len(numa.Nodes) != 2 || numa.Nodes[1].Domain != 6 {
			t.Errorf("APIC IDs %d, %+v; want 0, 3, 1 and the second node in domain 6", ids, numa)
		}
		if strings.Contains(out, "FACP is that") {
			t.Error("a table is replaced that nobody gave")
		}
	})
	t.Run("bad checksum", func(t *testing.T) {
		bad := madt(0, 3, 1)
		bad[9]++
		ids, numa, _ := boot(t, tables(t, false, bad, shape), 5, "has byte sum 1, expected 0: table left out")
		if len(ids) != 4 || len(numa.Nodes) != 2 {
			t.Errorf("APIC IDs %d, %+v; want the firmware's 4 CPUs, and 2 nodes", ids, numa)
		}
	})
	t.Run("no table", func(t *testing.T) {
		if ids, _, _ := boot(t, tables(t, false, acpitest.Table("ZZZZ", 1)), 5, "ZZZZ: no table of this name"); len(ids) != 4 {
			t.Errorf("APIC IDs %d, want the firmware's 4", ids)
		}
	})
}

// Of two tables of one name the firmware's first counts, and the other is reported.
func TestTwoTablesOfOneName(t *testing.T) {
	Need(t)
	file := filepath.Join(t.TempDir(), "madt")
	if err := os.WriteFile(file, madt(0, 9), 0o644); err != nil {
		t.Fatal(err)
	}
	r := Boot(t, Options{CPUs: 2, Nodes: 1, Exec: "cpu -j; poweroff", Raw: []string{"-acpitable", "file=" + file}})
	r.Want(t, 0, "APIC: a second table at", "expected one: the first at")
	var cpus cpuReport
	r.JSON(t, "cpus", &cpus)
	if len(cpus.CPUs) != 2 || cpus.CPUs[1].APICID != 1 {
		t.Errorf("%+v, want QEMU's own 2 CPUs", cpus)
	}
}
