package plan

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/flottio/flott/sql/internal/catalog"
	"github.com/flottio/flott/sql/internal/parse"
)

// FuzzBind binds whatever can be parsed: mistakes are errors, never panics, and a plan can be printed.
func FuzzBind(f *testing.F) {
	tables, err := os.ReadFile("testdata/tables.sql")
	if err != nil {
		f.Fatal(err)
	}
	files, _ := filepath.Glob("testdata/*.sql")
	corpus, _ := filepath.Glob("../parse/testdata/corpus/*.sql")
	f.Add("SELECT 0 IS DISTINCT")
	for _, name := range append(files, corpus...) {
		script, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		list, err := parse.Script(string(script))
		if err != nil {
			f.Fatal(err)
		}
		for _, st := range list {
			f.Add(string(script[st.Start:st.End]))
		}
	}
	setup, err := parse.Script(string(tables))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, script string) {
		list, _ := parse.Script(script)
		session := catalog.NewSession()
		for _, st := range append(setup, list...) {
			if _, err := bindStatement(session, st.Statement); err != nil && err.Error() == "" {
				t.Error("an error without a message")
			}
		}
	})
}
