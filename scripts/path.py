# The gdb half of path.sh, which says what it does.
import bisect
import collections
import os

import gdb

names, starts = [], []
for line in open(os.environ["PATH_SYMBOLS"]):
    address, name = line.split(None, 1)
    starts.append(int(address, 16))
    names.append(name.strip())


def function(pc):
    at = bisect.bisect_right(starts, pc)
    return names[at - 1] if at else hex(pc)


start = os.environ["PATH_FROM"]
if start not in names:
    raise gdb.GdbError("no function " + start)
start = starts[names.index(start)]

gdb.execute("set pagination off")
gdb.execute("set confirm off")
gdb.execute("set architecture i386:x86-64")
gdb.execute("target remote " + os.environ["PATH_SOCKET"], to_string=True)
gdb.execute("hbreak *%d" % start, to_string=True)
gdb.execute("continue", to_string=True)
if int(os.environ["PATH_SKIP"]):
    gdb.execute("ignore 1 %s" % os.environ["PATH_SKIP"], to_string=True)
    gdb.execute("continue", to_string=True)

stays, total = [], collections.Counter()
pc = start
for _ in range(int(os.environ["PATH_MAX"])):
    name = function(pc)
    total[name] += 1
    if stays and stays[-1][0] == name:
        stays[-1][1] += 1
    else:
        stays.append([name, 1])
    gdb.execute("stepi", to_string=True)
    pc = int(gdb.parse_and_eval("(unsigned long)$pc"))
    if pc == start:
        break

with open(os.environ["PATH_REPORT"], "w") as report:  # gdb itself prints each step
    for name, n in stays:
        print("%7d  %s" % (n, name), file=report)
    print("\n%7d  in all" % sum(total.values()), file=report)
    for name, n in total.most_common():
        print("%7d  %s" % (n, name), file=report)
gdb.execute("kill")
