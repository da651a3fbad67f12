package cli

import (
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/flottio/flott/config"
)

// flagSpec is one option of a command line.
type flagSpec struct {
	long  string
	short string // one or two letters; may be empty
	value string // what the value is called in help; empty for an option that is on or off
	doc   string
	verbs []string // that know the option
	// repeats: it may be given more than once.
	repeats bool
	// key is the configuration option that it sets; check judges the value.
	key   string
	check func(text string) error
	// example is a value for messages.
	example string
	// refusal is why an option that people know from elsewhere is not taken; such an option is not in help.
	refusal func(call, value string) string
	// user is the job's own flag.
	user *flag.Flag
}

// name is how messages call the option.
func (f *flagSpec) name() string {
	if f.long == "" {
		return "-" + f.short
	}
	if f.short == "" {
		return "--" + f.long
	}
	return "-" + f.short + "/--" + f.long
}

var (
	onJob  = []string{"run", "plan"}
	onPlan = []string{"plan"}
)

// flottFlags are the options of a job's binary, in the order of help.
func flottFlags() []*flagSpec {
	return []*flagSpec{
		{long: "parallelism", short: "p", value: "N", verbs: onJob, key: config.Parallelism.Key, check: judge(config.Parallelism),
			example: "4", doc: "subtasks of each operator that asks for no number of its own"},
		{long: "fromSavepoint", short: "s", value: "PATH|latest", verbs: onJob, key: config.RecoveryPath.Key, example: "latest",
			check: snapshotPath, doc: "start from this savepoint or checkpoint; latest: the newest complete checkpoint of this job, or afresh if " +
				"there is none. What will be restored is shown first"},
		{long: "allowNonRestoredState", short: "n", verbs: onJob, key: config.RecoveryIgnoreUnclaimedState.Key,
			doc: "start although the snapshot has state that no operator wants; it is dropped"},
		{long: "claimMode", short: "cm", value: "MODE", verbs: onJob, key: config.RecoveryClaimMode.Key,
			check: judge(config.RecoveryClaimMode), example: "no_claim",
			doc: "no_claim leaves the snapshot alone; claim takes it over and deletes it when it is no longer needed"},
		{short: "D", value: "KEY=VALUE", verbs: onJob, repeats: true, example: "execution.checkpointing.interval=5s",
			doc: "set a configuration option (docs/configuration.md); may be repeated"},
		{long: "config", value: "FILE", verbs: onJob, example: "config.yaml",
			doc: "configuration file; an empty FILE means none. Unset: config.yaml or flink-conf.yaml in $FLOTT_CONF_DIR if that is set, " +
				"else ./config.yaml if there is one"},
		{long: "json", verbs: onPlan, doc: "plan: the graph as JSON"},
		{long: "help", short: "h", doc: "show this help"},
		{long: "version", short: "v", doc: "show the version"},
	}
}

// judge checks a value as the configuration will.
func judge[T any](o *config.Option[T]) func(string) error {
	return func(text string) error {
		v, err := o.Syntax.Parse(strings.TrimSpace(text))
		if err == nil && o.Check != nil {
			err = o.Check(v)
		}
		return err
	}
}

func notEmpty(text string) error {
	if strings.TrimSpace(text) == "" {
		return fmt.Errorf("expected a text that is not empty")
	}
	return nil
}

func snapshotPath(text string) error {
	if err := notEmpty(text); err != nil {
		return err
	}
	return judge(config.RecoveryPath)(text)
}

// flinkFlags are the options of Flink's command line that have no meaning here. They are refused by name, so that a tutorial's call gets
// an answer and not a guess.
func flinkFlags() []*flagSpec {
	why := func(text string) func(string, string) string { return func(string, string) string { return text } }
	class := why("names Java code; a Flott job is its own binary: leave the option out")
	cluster := why("chooses a cluster; Flott runs a job in this process so far: leave the option out")
	yarn := why("an option for YARN, which is not built yet: leave it out")
	python := why("Python jobs are not built yet")
	specs := []*flagSpec{
		{short: "d", long: "detached", refusal: func(call, _ string) string {
			return "the job runs in this process, and there is no cluster to hand it to yet: leave the option out and start the job under a " +
				"supervisor (systemd, a container), or as: nohup " + call + " &"
		}},
		{short: "sae", long: "shutdownOnAttachedExit", refusal: why("the job always ends with its process: leave the option out")},
		{short: "rm", long: "restoreMode", value: "MODE", refusal: func(call, value string) string {
			return "a former name, today's is -cm/--claimMode: " + call + " -cm " + orElse(value, "no_claim")
		}},
		{short: "c", long: "class", value: "CLASS", refusal: class}, {short: "C", long: "classpath", value: "URL", refusal: class},
		{short: "j", long: "jarfile", value: "FILE", refusal: class},
		{short: "a", long: "arguments", value: "ARGS", refusal: why("a job has flags of its own; what follows -- is its arguments")},
		{short: "m", long: "jobmanager", value: "ADDRESS", refusal: cluster}, {short: "t", long: "target", value: "TARGET", refusal: cluster},
		{short: "e", long: "executor", value: "NAME", refusal: cluster},
		{short: "z", long: "zookeeperNamespace", value: "NAME", refusal: cluster},
	}
	for _, name := range strings.Fields("yid yqu yjm ytm ys ynm yt yz") {
		specs = append(specs, &flagSpec{short: name, value: "VALUE", refusal: yarn})
	}
	for _, name := range strings.Fields("yd yat yh yq yj ynl") {
		specs = append(specs, &flagSpec{short: name, refusal: yarn})
	}
	for _, name := range strings.Fields("py pyfs pym pyreq pyarch pyexec pyclientexec pypath") {
		specs = append(specs, &flagSpec{short: name, value: "VALUE", refusal: python})
	}
	return specs
}

// flagTable is every option that a command line may have.
type flagTable struct {
	specs  []*flagSpec
	byName map[string]*flagSpec
}

// newFlagTable joins Flott's options with the job's own; a problem is a name that both have.
func newFlagTable(specs []*flagSpec, user *flag.FlagSet) (t *flagTable, problems []string) {
	t = &flagTable{byName: map[string]*flagSpec{}}
	for _, s := range specs {
		t.add(s)
	}
	if user == nil {
		return t, nil
	}
	user.VisitAll(func(f *flag.Flag) {
		if strings.HasPrefix(f.Name, "test.") {
			return // of a test binary
		}
		if own := t.byName[f.Name]; own != nil && own.refusal == nil {
			problems = append(problems, fmt.Sprintf("the job's flag -%s has the name of Flott's own option %s: rename the job's",
				f.Name, own.name()))
			return
		}
		value, usage := flag.UnquoteUsage(f)
		if b, ok := f.Value.(interface{ IsBoolFlag() bool }); ok && b.IsBoolFlag() {
			value = ""
		} else {
			value = orElse(strings.ToUpper(value), "VALUE")
		}
		t.add(&flagSpec{long: f.Name, value: value, doc: usage, verbs: onJob, repeats: true, user: f})
	})
	return t, problems
}

func (t *flagTable) add(s *flagSpec) {
	t.specs = append(t.specs, s)
	for _, name := range []string{s.long, s.short} {
		if name != "" {
			t.byName[name] = s
		}
	}
}

// nearest is the option whose name is closest to what was written, nil if none is close.
func (t *flagTable) nearest(written string) *flagSpec {
	var names []string
	for name, s := range t.byName {
		if len(name) > 2 && s.long == name {
			names = append(names, name)
		}
	}
	return t.byName[nearestName(written, names)]
}

// nearestName is the candidate with the fewest edits between, "" if all are far.
func nearestName(written string, candidates []string) string {
	slices.Sort(candidates)
	best, least := "", max(2, len(written)/3)+1
	if len(written) < 4 {
		least = 2
	}
	for _, c := range candidates {
		if d := edits(strings.ToLower(written), strings.ToLower(c)); d < least {
			best, least = c, d
		}
		if len(written) >= 4 && len(c) > len(written) && strings.HasPrefix(strings.ToLower(c), strings.ToLower(written)) && least > 1 {
			best, least = c, 1
		}
	}
	return best
}

// maxEditBytes bounds the words that are compared, and with them the work.
const maxEditBytes = 64

// edits counts insertions, deletions and substitutions between two words.
func edits(a, b string) int {
	if len(a) > maxEditBytes || len(b) > maxEditBytes {
		return maxEditBytes
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitute := diagonal
			if a[i] != b[j] {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(row[j]+1, row[j+1]+1, substitute)
		}
	}
	return row[len(b)]
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// parseBool reads the value of --flag=value.
func parseBool(text string) (bool, error) {
	v, err := strconv.ParseBool(text)
	if err != nil {
		return false, fmt.Errorf("expected true or false")
	}
	return v, nil
}
