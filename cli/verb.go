package cli

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// jobVerbs are those of a job's binary, flottVerbs those of flott; in the order of help.
var (
	jobVerbs = []verb{
		{"run", "[run] [OPTIONS]", "run the job; the word run may be left out"},
		{"plan", "plan [--json] [OPTIONS]", "show the execution plan, and with -s what would be restored; nothing is started"},
		{"state", "state fsck PATH", "verify a savepoint or checkpoint: every file, its length and its digest"},
		{"version", "version", "show the version"},
		{"help", "help", "show this help"},
	}
	flottVerbs = []verb{
		{"sql", "sql -f FILE [OPTIONS]", "run the SQL statements of a file: flott sql --help"},
		{"state", "state fsck PATH", "verify a savepoint or checkpoint: every file, its length and its digest"},
		{"version", "version", "show the version"},
		{"help", "help", "show this help"},
	}
)

// verb is one thing that a command line can ask for.
type verb struct{ name, usage, doc string }

// laterVerbs are Flink's verbs, and Flott's, that need what is not built yet; each says what does the job today.
var laterVerbs = map[string]string{
	"jobmanager":  "clusters are not built yet; a job's own binary runs it in one process",
	"taskmanager": "clusters are not built yet; a job's own binary runs it in one process",
	"list":        "not built yet: there is no cluster to list jobs of; a job's own output says how it does",
	"cancel":      "not built yet: there is no cluster to ask; end the job's process with Ctrl-C",
	"stop": "not built yet: there is no cluster to ask; start the job with -D execution.checkpointing.savepoint-dir=DIR and send its " +
		"process SIGTERM: it stops with a savepoint",
	"savepoint": "not built yet: there is no cluster to ask; start the job with -D execution.checkpointing.savepoint-dir=DIR and send its " +
		"process SIGTERM: it stops with a savepoint",
	"checkpoint": "not built yet: there is no cluster to ask; a running job takes checkpoints with -D execution.checkpointing.interval=5s",
	"info":       "not built yet; a job's own binary shows its plan: ./job plan",
	"run":        "submitting to a cluster is not built yet; a job's own binary runs it: ./job [OPTIONS]",
}

func isVerb(word string) bool {
	_, later := laterVerbs[word]
	return later || slices.ContainsFunc(jobVerbs, func(v verb) bool { return v.name == word })
}

// explainWord says what is wrong with a word where a verb should stand.
func explainWord(word, call string, verbs []verb) string {
	if later, ok := laterVerbs[word]; ok {
		if word == "info" {
			later = "today's name is plan: " + call + " plan"
		}
		return word + ": " + later
	}
	last := path.Base(word)
	if strings.HasPrefix(last, "chk-") || strings.HasPrefix(last, "savepoint-") || last == "_metadata" {
		return fmt.Sprintf("unexpected argument %s; to start from this snapshot: %s -s %s", word, call, quoteShell(word))
	}
	if strings.HasSuffix(word, ".jar") {
		return fmt.Sprintf("unexpected argument %s; a Flott job is a binary of its own, without a jar: %s [OPTIONS]", word, call)
	}
	names := make([]string, len(verbs))
	for i, v := range verbs {
		names[i] = v.name
	}
	if near := nearestName(word, slices.AppendSeq(slices.Clone(names), maps.Keys(laterVerbs))); near != "" {
		return fmt.Sprintf("unknown verb %s; did you mean %s?", word, near)
	}
	return fmt.Sprintf("unknown verb %s; the verbs are %s", word, strings.Join(names, ", "))
}

// quoteShell writes a word so that a shell reads it as one.
func quoteShell(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_=:/.,+@%", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
