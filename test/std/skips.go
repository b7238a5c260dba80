package main

import (
	"regexp"
	"strings"
)

// unable are packages that can't be tested at all, and why.
var unable = map[string]string{
	"crypto/tls": "its TestMain opens a network listener",
}

// A skip is the tests, names divided by blanks, that need what this kernel does
// not have.
type skip struct{ reason, tests string }

// Reasons to skip a test. There is no other: what fails and needs none of these
// is a bug.
const (
	processes = "starts processes"
	network   = "uses the network"
	writes    = "writes files"
)

// skips by package. Tests of the go command are not here: without one in $PATH
// they skip themselves.
var skips = map[string][]skip{
	"archive/tar":                 {{writes, "TestReader/neg-size.tar TestFileInfoHeaderSymlink TestWriter/writer-big-long.tar"}},
	"archive/zip":                 {{writes, "TestReader/go-no-datadesc-sig.zip.base64 TestOpenReaderInsecurePath"}},
	"bufio":                       {{network, "TestCopyUnixpacket"}},
	"compress/bzip2":              {{writes, "TestReader"}},
	"compress/gzip":               {{network, "Example_compressingReader"}},
	"context":                     {{network, "ExampleAfterFunc_connection"}},
	"crypto/cipher":               {{processes, "TestGCMNoncesFIPSV1 TestGCMNoncesFIPSV126"}},
	"crypto/fips140":              {{processes, "TestWithoutEnforcement"}},
	"crypto/internal/fips140only": {{processes, "TestFIPS140Only"}},
	"crypto/internal/fips140test": {{processes, "TestCASTPasses TestCASTFailures TestIntegrityCheck TestIntegrityCheckFailure"}},
	"crypto/x509":                 {{writes, "TestEnvVars TestLoadSystemCertsLoadColonSeparatedDirs TestReadUniqueDirectoryEntries"}},
	"encoding/json":               {{network, "TestHTTPDecoding"}},
	"io":                          {{writes, "TestOffsetWriter_Seek TestOffsetWriter_WriteAt TestOffsetWriter_Write TestWriteAt_PositionPriorToBase"}},
	"io/fs":                       {{writes, "TestReadDirPath TestReadFilePath TestWalkDir TestIssue51617"}},
	"io/ioutil":                   {{writes, "TestWriteFile TestTempFile TestTempFile_pattern TestTempFile_BadPattern TestTempDir TestTempDir_BadDir TestTempDir_BadPattern"}},
	"log/syslog":                  {{network, "TestFlap TestConcurrentWrite TestConcurrentReconnect TestWrite TestWithSimulated"}},
	"runtime": {
		{processes, "TestFinalizerRegisterABI TestRuntimePanic TestTracebackRuntimeFunction TestTracebackRuntimeMethod " +
			"TestG0StackOverflow TestCrashWhileTracing TestIssue66841 TestArenaCollision TestMemHashGlobalSeed TestTracebackSystem"},
		{writes, "TestSchedPauseMetrics/runtime/debug.WriteHeapDump TestMemmoveOverflow ExampleAddCleanup"},
	},
	"sync":          {{processes, "TestMutexMisuse TestIssue76126"}},
	"text/template": {{writes, "ExampleTemplate_glob ExampleTemplate_helpers ExampleTemplate_share"}},
}

// skipped are the names of the tests that a package skips.
func skipped(path string) (names []string) {
	for _, s := range skips[path] {
		names = append(names, strings.Fields(s.tests)...)
	}
	return names
}

// pattern is -test.skip for exactly these tests.
func pattern(names []string) string {
	var top, sub []string
	for _, n := range names {
		parts := strings.Split(regexp.QuoteMeta(n), "/")
		if len(parts) == 1 {
			top = append(top, n)
			continue
		}
		sub = append(sub, "^"+strings.Join(parts, "$/^")+"$")
	}
	if len(top) > 0 {
		sub = append(sub, "^("+strings.Join(top, "|")+")$")
	}
	return strings.Join(sub, "|")
}
