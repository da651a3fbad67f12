package operator

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"time"
)

// Failure is an error with its place: which operator, which subtask, which record.
type Failure struct {
	UID, Operator string
	Subtask       int
	Parallelism   int
	// Record is the record in work, shortened; empty when there was none.
	Record string
	// Place is what else was in work: a timer, a window, a place in the input; may be empty.
	Place string
	// Stack is the user's part of the stack when the function panicked; all of it if Bug.
	Stack string
	// Bug says that the engine itself panicked, not a function of the user.
	Bug bool
	Err error
}

// Error says all of it in one line, and the stack below.
func (f *Failure) Error() string {
	s := fmt.Sprintf("operator %q, subtask %d of %d", f.Operator, f.Subtask+1, f.Parallelism)
	if f.Place != "" {
		s += ", " + f.Place
	}
	if f.Record != "" {
		s += fmt.Sprintf(", record %s", f.Record)
	}
	if f.Bug {
		s += ": BUG: Flott itself failed, not a function of the job; please report it with what stands below"
	}
	s += ": " + f.Err.Error()
	if f.Stack != "" {
		s += "\n" + f.Stack
	}
	return s
}

// Unwrap gives the cause.
func (f *Failure) Unwrap() error { return f.Err }

// permanent marks an error that another attempt cannot cure.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Permanent marks an error that another attempt cannot cure: the job fails at once, whatever the restart strategy.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanent{err}
}

// IsPermanent reports whether an error was marked.
func IsPermanent(err error) bool {
	var p permanent
	return errors.As(err, &p)
}

// IsHopeless reports whether another attempt would meet the error again: it was marked Permanent, or the operating system refuses what somebody has
// to put right: a permission, a directory that is none. Errors that may go away by themselves, or while the job waits for its restart, are not
// among them: a full disk, too few file descriptors, a device that does not answer.
func IsHopeless(err error) bool {
	if IsPermanent(err) || errors.Is(err, fs.ErrPermission) {
		return true
	}
	for _, e := range []syscall.Errno{syscall.EROFS, syscall.ENOTDIR, syscall.EISDIR, syscall.ENAMETOOLONG, syscall.ELOOP} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// Advise adds to an error what can be done about it, where the operating system's own words do not say.
func Advise(err error) error {
	if (errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)) && !strings.Contains(err.Error(), "ulimit -n") {
		return fmt.Errorf("%w\nraise the limit of open files (ulimit -n)", err)
	}
	return err
}

// fatal marks an error of a snapshot's asynchronous part that must fail the task, not only the checkpoint.
type fatal struct{ error }

func (f fatal) Unwrap() error { return f.error }

// Fatal marks an error of a Flush that must fail the task: what was prepared may be lost.
func Fatal(err error) error { return fatal{err} }

// IsFatal reports whether an error was marked.
func IsFatal(err error) bool {
	var f fatal
	return errors.As(err, &f)
}

// Errorf makes an error; here so that operators need one import.
func Errorf(format string, args ...any) error { return fmt.Errorf(format, args...) }

// PlaceOfKey names a key with what was done for it: PlaceOfKey(7, "event timer at ...").
func PlaceOfKey(key any, what string) string { return "key " + Shorten(key) + ", " + what }

// PlaceOfWindow names a window of a key.
func PlaceOfWindow(key any, s Span) string {
	if s == always {
		return PlaceOfKey(key, "global window")
	}
	return PlaceOfKey(key, "window "+TimeText(s.Start)+" to "+TimeText(s.End))
}

// TimeText writes a time in milliseconds since the epoch, in UTC.
func TimeText(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }

// maxRecordText bounds a record's text in an error, in bytes.
const maxRecordText = 300

// Shorten prints a record for an error message.
func Shorten(rec any) string {
	s := fmt.Sprintf("%+v", rec)
	if len(s) > maxRecordText {
		return s[:maxRecordText] + fmt.Sprintf("... (%d bytes)", len(s))
	}
	return s
}
