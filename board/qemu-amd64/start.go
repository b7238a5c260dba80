package board

import (
	"unsafe"

	"pdac/asm"
	"pdac/kernel/klog"
	"pdac/kernel/numa"
	"pdac/kernel/numa/acpi"
	"pdac/kernel/vm"
)

const maxCPUs = numa.MaxCPUs

// What the firmware's tables say, parsed.
var (
	tables   acpi.Tables
	report   acpi.Report
	madt     acpi.MADT
	srat     acpi.SRAT
	slit     acpi.SLIT
	hmat     acpi.HMAT
	fadt     acpi.FADT
	hpetInfo acpi.HPET
	s5       acpi.SleepTypes
	topology numa.Topology
	ncpu     int
)

// start brings the machine up on the BSP and leaves the program's first task as
// the one to resume. Called by Entry, on bootStack.
func start() {
	vectorState(true)
	patchFSBase()
	initSerial()
	klog.Out = putByte
	boot.online = cpuUp
	loadEarlyTables()
	readStartInfo()
	readACPI()
	findFree()
	reserveDMA()

	root := buildDirect()
	initVM(root)
	mapImage()
	asm.SetCR3(root)

	initFrames()
	initCPUs()
	openFrames()
	klog.New(klog.Info).Str("pdac: ").Dec(uint64(topology.NCPUs)).Str(many(topology.NCPUs, " CPU, ", " CPUs, ")).
		Dec(uint64(topology.NNodes)).Str(many(topology.NNodes, " node, ", " nodes, ")).Dec(ramBytes() >> 20).Str(" MiB").End()
	maskPICs()
	initAPIC(topology.CPUs[0].UID)
	startClock(hpetInfo.Addr, uint16(fadt.PMTimer.Addr), fadt.PMTimer32)
	klog.Now = logTime
	vm.CPUOnline(0)
	ncpu = startAPs(root)
	installClock(clockAnywhere != 0)
	initCrash()
	bootKernel()
}

// loadEarlyTables makes faults of the boot itself reach the crash dump.
func loadEarlyTables() {
	fillIDT()
	top := boot.stack - bootStackSize/2
	boot.loadTables(top, top, top, top)
}

// firmware returns physical memory on the entry's identity map.
func firmware(pa, n uint64) []byte {
	if pa == 0 || n > 4<<30 || pa > 4<<30-n {
		return nil
	}
	return unsafe.Slice((*byte)(asm.Pointer(pa)), n)
}

func readACPI() {
	acpi.Find(firmware, handover.rsdp, &tables, &report)
	overrideTables()
	parse(&tables)
	var ram [len(handover.ram)]numa.Range
	for i, r := range handover.ram[:handover.nram] {
		ram[i] = numa.Range{Base: r.base, Limit: r.limit}
	}
	_, ebx, _, _ := asm.CPUID(1, 0)
	id := ebx >> 24
	if max, _, _, _ := asm.CPUID(0, 0); max >= 0xb {
		if _, b, _, d := asm.CPUID(0xb, 0); b != 0 {
			id = d
		}
	}
	topology.Build(parsed(&madt, tables.MADT), parsed(&srat, tables.SRAT), parsed(&slit, tables.SLIT), parsed(&hmat, tables.HMAT),
		ram[:handover.nram], id, &report)
	var b [acpi.MaxMessage]byte
	for i := range report.All() {
		n := report.Problems[i].Format(b[:])
		klog.New(klog.Warn).Chars(b[:n]).End()
	}
}

// parsed returns a table's struct, or nil where the machine has no such table.
func parsed[T any](s *T, t acpi.Table) *T {
	if t.Addr == 0 || t.Data == nil {
		return nil
	}
	return s
}

func parse(t *acpi.Tables) {
	drop(&t.MADT, t.MADT.Addr != 0 && acpi.ParseMADT(t.MADT.Data, &madt, &report))
	drop(&t.SRAT, t.SRAT.Addr != 0 && acpi.ParseSRAT(t.SRAT.Data, &srat, &report))
	drop(&t.SLIT, t.SLIT.Addr != 0 && acpi.ParseSLIT(t.SLIT.Data, &slit, &report))
	drop(&t.HMAT, t.HMAT.Addr != 0 && acpi.ParseHMAT(t.HMAT.Data, &hmat, &report))
	drop(&t.FADT, t.FADT.Addr != 0 && acpi.ParseFADT(t.FADT.Data, &fadt, &report))
	drop(&t.HPET, t.HPET.Addr != 0 && acpi.ParseHPET(t.HPET.Data, &hpetInfo, &report))
	if t.DSDT.Addr != 0 {
		acpi.ParseS5(t.DSDT.Data, &s5, &report)
	}
}

// drop forgets a table that was not sound.
func drop(t *acpi.Table, sound bool) {
	if !sound {
		*t = acpi.Table{}
	}
}

func ramBytes() (n uint64) {
	for _, r := range handover.ram[:handover.nram] {
		n += r.limit - r.base
	}
	return n
}

// areas is where package vm keeps the program's areas.
var areas []vm.Node

const maxAreas = 1 << 18

// growAreas makes areas[:n] usable.
func growAreas(cpu int, n uint32) bool {
	return vm.Populate(cpu, uint64(uintptr(unsafe.Pointer(unsafe.SliceData(areas)))), uint64(n)*uint64(unsafe.Sizeof(vm.Node{})))
}

// initVM starts virtual memory on the direct map. It runs on the entry's page
// tables and builds the final ones.
func initVM(root uint64) {
	areas = array[vm.Node](maxAreas)
	lazy, end := lazyBss()
	vm.Init(vm.Config{
		Phys:           unsafe.Slice((*uint64)(asm.Pointer(directBase)), ramEnd()/8),
		Root:           root,
		NCPU:           topology.NCPUs,
		Nodes:          areas,
		Grow:           growAreas,
		Alloc:          allocFrame,
		Spare:          spareFrame,
		Free:           freeFrame,
		FreeSet:        freeFrames,
		Zero:           zeroFrame,
		IPI:            shoot,
		InvalidatePage: asm.INVLPG,
		FlushAll:       asm.FlushTLB,
		TaskPolicy:     taskPolicy,
		Memory:         topology.Memory(),
		NodeOf:         nodeOfFrame,
		CPUNode:        cpuNodes[:topology.NCPUs],
		LazyMin:        lazy,
		LazyEnd:        end,
		Huge:           vm.HugeMadvise,
	})
}

// mapImage maps what stays identity-mapped: the image with its protections, and
// the registers of the APICs and the HPET, uncached. Page 0 and the rest of the
// first 4 GiB are left out, so that a wild pointer faults. The direct map has
// text and constants read-only too.
func mapImage() {
	text, etext, _, erodata, _ := imageAddrs()
	text &^= pageSize - 1
	etext = (etext + pageSize - 1) &^ (pageSize - 1)
	erodata = (erodata + pageSize - 1) &^ (pageSize - 1)
	lazy, _ := lazyBss()
	mapFixed(text, etext, vm.KernelExec)
	mapFixed(etext, erodata, 0)
	mapFixed(erodata, lazy, vm.KernelWrite)
	if !vm.MapKernel(0, directBase+text, text, erodata-text, 0) {
		die("out of memory for the image's page tables")
	}

	mapDMA()
	findAPIC(madt.LocalAPIC, largestAPICID())
	mapDevice(lapic.base)
	for _, io := range madt.IOAPICs[:madt.NIOAPICs] {
		mapDevice(uint64(io.Addr))
	}
	mapDevice(hpetInfo.Addr)
}

func mapFixed(from, to uint64, flags uint64) {
	if from < to && !vm.MapKernel(0, from, from, to-from, flags) {
		die("out of memory for the image's page tables")
	}
}

// mapDevice maps the page of a device's registers at its own address.
func mapDevice(pa uint64) {
	if pa != 0 {
		mapFixed(pa&^(pageSize-1), pa&^(pageSize-1)+pageSize, vm.KernelWrite|vm.KernelUncached)
	}
}

func largestAPICID() (id uint32) {
	for _, c := range topology.CPUs[:topology.NCPUs] {
		id = max(id, c.APICID)
	}
	return id
}

// initCPUs makes the records and stacks of all CPUs, and moves the BSP to its.
// It runs on bootStack to the end of start: the kernel stack is taken up by the
// next trap.
func initCPUs() {
	n := topology.NCPUs
	cpus = array[percpu](n)
	back(cpus, 0, n)
	stacks = reserve(uint64(n) * stackStep)
	for i := range cpus {
		c, t := &cpus[i], &topology.CPUs[i]
		mapStacks(i)
		c.id, c.slot, c.apicID, c.node = uint64(i), uint64(i), t.APICID, uint32(t.Node)
		c.stack = stackBase(i) + mainStackTop
		cpuNodes[i] = t.Node
		records[i] = c
	}
	c := &cpus[0]
	c.online = cpuUp
	setBase(c)
	b := stackBase(0)
	c.loadTables(b+excStackTop, b+nmiStackTop, b+dblStackTop, b+chkStackTop)
	klog.CPU = thisCPU
}

// many returns one of two words, by whether there is one of a thing.
func many(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}
