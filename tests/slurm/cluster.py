"""A real Slurm cluster of pretend nodes on this machine, gone without a trace when it is stopped.

The controller and every node are Linux namespaces: own processes, network, host name, /dev/shm and
TMPDIR. The nodes hang on a bridge in the controller's network and live among its
processes, so that the end of its first process (or of this one) ends everything. Nothing outside
`folder` is written.
"""

import os
import pathlib
import shutil
import socket
import subprocess
import time

PROGRAMS = ["munged", "slurmctld", "slurmd", "sbatch", "ip", "nsenter", "unshare", "setpriv"]
NETWORK = "10.77.0"  # node i has .i, the controller .254; nobody outside the namespaces sees it
SPACES = ["--net", "--pid", "--mount", "--uts"]
PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"

CONFIGURATION = """\
ClusterName=pretend
SlurmctldHost=controller({network}.254)
SlurmctldPort=16817
SlurmdPort=16818
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
TmpFS={folder}/tmp
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,batch_sched_delay=0
MpiDefault=none
SlurmdParameters=config_overrides
ReturnToService=2
SlurmctldTimeout=10
SlurmdTimeout=5
MessageTimeout=5
KillWait=5
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
NodeName=n[1-{nodes}] NodeAddr={network}.[1-{nodes}] CPUs=2 RealMemory=2000
PartitionName=low Nodes=ALL Default=YES PriorityTier=1 GraceTime=20 MaxTime=60
PartitionName=abrupt Nodes=ALL PriorityTier=1 MaxTime=60
PartitionName=high Nodes=ALL PriorityTier=10 PreemptMode=OFF MaxTime=60
"""


def missing():
    """Why there can be no cluster here; empty where there can."""
    lacking = [name for name in PROGRAMS if not shutil.which(name, path=PATH)]
    if lacking:
        return f"no {', '.join(lacking)} here: launch/setup --slurm installs them"
    if os.geteuid() != 0:
        return "namespaces for the pretend nodes need root"
    tried = subprocess.run([
        "unshare", *SPACES, "--fork", "--mount-proc", "sh", "-c",
        "hostname tried && mount -t tmpfs none /dev/shm && "
        "ip link add br0 type bridge && ip link add to-n1 type veth peer name eth0"
    ], capture_output=True, text=True, env={**os.environ, "PATH": PATH})
    return tried.stderr.strip().replace("\n", "; ")


def children(process):
    return pathlib.Path(f"/proc/{process}/task/{process}/children").read_text().split()


class Machine:
    """Namespaces of their own, and in them a first process that does nothing."""

    def __init__(self, name, environment, prepare="true", inside=None):
        self.environment = environment
        first = f"""
            hostname {name} && mount -t tmpfs none /dev/shm && mount -t tmpfs none "$TMPDIR" &&
            ip link set lo up && {prepare} && echo up &&
            exec env --ignore-signal=CHLD sleep infinity
        """
        words = [*(inside.enter("--pid") if inside else []), "setpriv", "--pdeathsig", "KILL",
                 "unshare", *SPACES, "--fork", "--kill-child", "--mount-proc", "sh", "-c", first]
        self.processes = [
            subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True, env=environment)
        ]
        if self.processes[0].stdout.readline() != "up\n":
            raise RuntimeError(f"no namespaces for {name}")
        self.first = str(self.processes[0].pid)
        while children(self.first):
            self.first = children(self.first)[0]

    def enter(self, *spaces):
        return ["nsenter", "-t", self.first, *(spaces or SPACES)]

    def ip(self, words):
        subprocess.run([*self.enter("--net"), "ip", *words.split()], check=True,
                       env=self.environment)

    def holds(self, process):
        return os.readlink(f"/proc/{process}/ns/uts") == os.readlink(f"/proc/{self.first}/ns/uts")

    def start(self, log, *words):
        with open(log, "a") as output:
            self.processes.append(
                subprocess.Popen([*self.enter(), *words], stdin=subprocess.DEVNULL, stdout=output,
                                 stderr=output, env=self.environment))

    def kill(self):
        """As if its power were cut: every process of it at once."""
        # It may be gone already, with the controller.
        subprocess.run(["kill", "-KILL", self.first], capture_output=True)
        for process in self.processes:
            process.communicate()


class Cluster:
    """Started when made."""

    def __init__(self, folder, nodes=3):
        self.folder = pathlib.Path(folder)
        self.environment = {**os.environ, "SLURM_CONF": str(self.folder / "slurm.conf"),
                            "TMPDIR": str(self.folder / "tmp"), "PATH": PATH}
        for name in ["state", "tmp"]:
            (self.folder / name).mkdir()
        (self.folder / "slurm.conf").write_text(
            CONFIGURATION.format(folder=self.folder, network=NETWORK, nodes=nodes))
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        self.controller = Machine("controller", self.environment,
                                  "ip link add br0 type bridge && ip link set br0 up && "
                                  f"ip addr add {NETWORK}.254/24 dev br0")
        self.controller.start(self.folder / "munged.log", "munged", "--foreground", "--force",
                              f"--key-file={key}", f"--socket={self.folder}/munge.socket",
                              f"--pid-file={self.folder}/munged.pid",
                              f"--log-file={self.folder}/munged.log",
                              f"--seed-file={self.folder}/munge.seed")
        wait_for(lambda: (self.folder / "munge.socket").exists(), 10, "munged")
        self.controller.start(self.folder / "slurmctld.log", "slurmctld", "-D")
        self.nodes = {}
        for node in range(1, nodes + 1):
            self.start_node(f"n{node}")
        wait_for(lambda: self.states() == ["idle"] * nodes, 30, "nodes to become idle")

    def states(self):
        """Of the nodes, as Slurm sees them."""
        return self.run("sinfo", "-h", "-N", "-p", "low", "-o", "%T").stdout.split()

    def start_node(self, name):
        self.nodes[name] = node = Machine(name, self.environment, inside=self.controller)
        for machine, words in [
            (self.controller, f"link add to-{name} type veth peer name eth0 netns {node.first}"),
            (self.controller, f"link set to-{name} master br0 up"),
            (node, f"addr add {NETWORK}.{name[1:]}/24 dev eth0"),
            (node, "link set eth0 up"),
        ]:
            machine.ip(words)
        node.start(self.folder / f"slurmd.{name}.log", "slurmd", "-D", "-N", name)

    def kill_node(self, name):
        self.nodes.pop(name).kill()

    def cut(self, name):
        self.controller.ip(f"link set to-{name} down")

    def mend(self, name):
        self.controller.ip(f"link set to-{name} up")

    def stop(self):
        self.controller.kill()
        for node in self.nodes.values():
            node.kill()

    def run(self, *words, cwd="/"):
        """A command as a user types it on the login node, which is the controller."""
        return subprocess.run([*self.controller.enter(), f"--wd={cwd}", *map(str, words)],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60,
                              env=self.environment)


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.1)
