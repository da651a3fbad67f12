package config

import (
	"fmt"
	"sort"
	"strings"
)

// jvmRule marks a family of Flink's keys as having a meaning only on a JVM.
type jvmRule struct {
	prefix, contains string // either may be empty, not both
	instead          string // what to use in Flott, or why nothing is needed
}

const goMemory = "Flott has no heap to size: set GOMEMLIMIT in the environment to bound the process, " +
	"state.backend.rocksdb.memory.fixed-per-slot to bound state"

// jvmRules are searched in order; the first that matches speaks.
var jvmRules = []jvmRule{
	{prefix: "env.java.", instead: "Flott has no JVM; Go's settings are environment variables (GOMEMLIMIT, GOMAXPROCS, GODEBUG)"},
	{contains: ".jvm-metaspace.", instead: "Flott loads no classes; nothing replaces it"},
	{contains: ".jvm-overhead.", instead: goMemory},
	{contains: "memory.enable-jvm-direct-memory-limit", instead: goMemory},
	{contains: "jvm-exit-on-oom", instead: "a Go process that runs out of memory always exits; nothing replaces it"},
	{contains: "jvm-exit-on-fatal-error", instead: "nothing replaces it"},
	{contains: ".heap.size", instead: goMemory},
	{contains: ".off-heap.", instead: goMemory},
	{prefix: "taskmanager.memory.framework.", instead: goMemory},
	{prefix: "jobmanager.memory.", instead: goMemory},
	{prefix: "taskmanager.memory.process.size", instead: goMemory},
	{prefix: "taskmanager.memory.flink.size", instead: goMemory},
	{prefix: "taskmanager.memory.managed.", instead: "state memory is state.backend.rocksdb.memory.fixed-per-slot"},
	{prefix: "taskmanager.memory.size", instead: "state memory is state.backend.rocksdb.memory.fixed-per-slot"},
	{prefix: "taskmanager.memory.network.", instead: "use taskmanager.network.queue-size, bytes per input"},
	{prefix: "taskmanager.memory.segment-size", instead: "use taskmanager.network.batch-size"},
	{prefix: "pekko.", instead: "Flott does not use Pekko; nothing replaces it"},
	{prefix: "akka.", instead: "Flott does not use Akka; nothing replaces it"},
	{prefix: "classloader.", instead: "a Flott job is a Go binary of its own; nothing replaces it"},
	{prefix: "jmx.", instead: "Flott has no JMX; use metrics.port"},
	{prefix: "metrics.internal.query-service.", instead: "nothing replaces it"},
	{prefix: "metrics.reporter", instead: "reporters are Java classes; Flott serves Prometheus itself: use metrics.port"},
	{prefix: "pipeline.jars", instead: "a Flott job is a Go binary; nothing replaces it"},
	{prefix: "pipeline.classpaths", instead: "a Flott job is a Go binary; nothing replaces it"},
	{prefix: "pipeline.closure-cleaner-level", instead: "nothing replaces it"},
	{prefix: "pipeline.force-", instead: "Flott derives the codec of a type itself; nothing replaces it"},
	{prefix: "pipeline.generic-types", instead: "Flott derives the codec of a type itself; nothing replaces it"},
	{prefix: "pipeline.serialization-config", instead: "Flott derives the codec of a type itself; nothing replaces it"},
	{prefix: "state.backend.rocksdb.options-factory", instead: "it names a Java class; nothing replaces it"},
	{prefix: "taskmanager.network.netty.", instead: "Flott does not use Netty; nothing replaces it"},
	{prefix: "cluster.intercept-user-system-exit", instead: "a job runs in a process of its own; nothing replaces it"},
	{prefix: "cluster.uncaught-exception-handling", instead: "a panic in user code always fails the attempt; nothing replaces it"},
	{contains: ".thread-priority", instead: "Go has no thread priorities; nothing replaces it"},
	{prefix: "yarn.flink-dist-jar", instead: "Flott is one binary; nothing replaces it"},
	{prefix: "yarn.classpath.", instead: "Flott is one binary; nothing replaces it"},
	{contains: ".keystore", instead: "Flott reads PEM files, not Java key stores"},
	{contains: ".truststore", instead: "Flott reads PEM files, not Java key stores"},
}

// judgeUnknown says why a key is refused, as precisely as can be known.
func judgeUnknown(s *Set, w written) Problem {
	today, inFlink := loadFlinkKeys().has(w.key)
	for _, rule := range jvmRules {
		if !rule.matches(w.key) && (!inFlink || !rule.matches(today)) {
			continue
		}
		if near, distance := s.nearest(w.key); near != "" && distance <= 1 && !inFlink {
			break // a slip in the name of an option that we do have
		}
		return Problem{Kind: JVMOnly, Message: "an option for the JVM only: " + rule.instead}
	}
	if inFlink {
		message := "known to Flink, not supported by Flott yet"
		if today != w.key {
			message += fmt.Sprintf(" (a former name of %s)", today)
		}
		return Problem{Kind: NotSupported, Message: message + "; remove it"}
	}
	if below := s.below(w.key); len(below) > 0 {
		return Problem{Kind: UnknownKey, Message: "is a group of options, not an option; options in it: " + strings.Join(below, ", ")}
	}
	if near, _ := s.nearest(w.key); near != "" {
		return Problem{Kind: UnknownKey, Message: "unknown option; did you mean " + near + "?"}
	}
	return Problem{Kind: UnknownKey, Message: "unknown option; docs/configuration.md lists all options"}
}

func (r jvmRule) matches(key string) bool {
	return strings.HasPrefix(key, r.prefix) && strings.Contains(key, r.contains)
}

// maxBelowShown bounds how many options of a group a message lists.
const maxBelowShown = 4

func (s *Set) below(prefix string) []string {
	var keys []string
	for key := range s.options {
		if strings.HasPrefix(key, prefix+".") {
			keys = append(keys, key)
		}
	}
	sort.Strings(keys)
	if len(keys) > maxBelowShown {
		keys = append(keys[:maxBelowShown], "...")
	}
	return keys
}

// nearest returns the supported option whose name, or former name, is closest to what was written; "" if none is close.
func (s *Set) nearest(writtenKey string) (key string, distance int) {
	normal := normalizeKey(writtenKey)
	best, limit := "", max(2, len(normal)/5)
	distance = limit + 1
	consider := func(candidate, name string) {
		d := editDistance(normal, normalizeKey(candidate), distance)
		if strings.HasSuffix(candidate, "."+writtenKey) {
			d = min(d, 2) // the end of the right name, as in "interval" for "execution.checkpointing.interval"
		}
		if d < distance || d == distance && best != "" && name < best {
			best, distance = name, d
		}
	}
	for name := range s.options {
		consider(name, name)
	}
	for former, name := range s.former {
		consider(former, name)
	}
	return best, distance
}

// normalizeKey makes spellings alike that people mix up: case, "_" for "-", camel case.
func normalizeKey(key string) string {
	var b strings.Builder
	for i, r := range key {
		switch {
		case r == '_':
			b.WriteByte('-')
		case r >= 'A' && r <= 'Z':
			if i > 0 && key[i-1] >= 'a' && key[i-1] <= 'z' {
				b.WriteByte('-')
			}
			b.WriteRune(r - 'A' + 'a')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// maxEditBytes bounds the names that are compared, and with them the work per unknown key.
const maxEditBytes = 200

// editDistance counts insertions, deletions, substitutions and swaps of neighbours; anything above limit counts as limit + 1.
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit || len(a) > maxEditBytes || len(b) > maxEditBytes {
		return limit + 1
	}
	before, previous, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			substitute := previous[j-1]
			if a[i-1] != b[j-1] {
				substitute++
			}
			row[j] = min(previous[j]+1, row[j-1]+1, substitute)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, previous, row = previous, row, before
	}
	return min(previous[len(b)], limit+1)
}
