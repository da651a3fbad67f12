package cli

// exitCode is the closed set of codes that a process of Flott ends with.
type exitCode int

// The codes. A process that a second signal ends has 128 and the signal's number.
const (
	exitOK          exitCode = 0
	exitFailed      exitCode = 1
	exitRefused     exitCode = 2
	exitRestore     exitCode = 3
	exitStuck       exitCode = 4
	exitInterrupted exitCode = 130
	exitTerminated  exitCode = 143
)

// exitCodes is what help and documentation say.
var exitCodes = []struct {
	code    exitCode
	meaning string
}{
	{exitOK, "the job finished, or was stopped with a savepoint"},
	{exitFailed, "the job failed"},
	{exitRefused, "command line, configuration or graph refused; nothing was started"},
	{exitRestore, "restore refused, or the snapshot is damaged"},
	{exitStuck, "a function of the job did not return for task.cancellation.timeout after a cancel"},
	{exitInterrupted, "cancelled by Ctrl-C (SIGINT)"},
	{exitTerminated, "ended by SIGTERM without a savepoint"},
}
