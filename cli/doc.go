// Package cli is the command line of Flott: of every job's own binary (Main) and of the flott binary (Flott).
//
// A job's main function is one line:
//
//	func main() { cli.Main("clicks", build) }
//
// The binary then has the verbs run (which may be left out), plan, state fsck, version and help, Flink's options (-p, -s, -n, -cm, -D) and
// the job's own: Main reads the flags that the job registered with the standard library's flag package, in one line with the others:
//
//	var input = flag.String("input", "clicks/*.jsonl", "`GLOB` of the files to read")
//
//	func build(env *flott.Env) { ... *input ... }
//
// They have their values before build runs. Main does not return: it ends the process with one of the codes in exit_code.go.
//
// The package owns arguments, configuration layers, messages to people, progress, signals and exit codes. It never decides about a job:
// it calls what engine.go declares. Job binaries, cmd, examples and bench may import it.
package cli
