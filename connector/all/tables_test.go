package all

import (
	"strings"
	"testing"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/sql/table"
)

func TestTables(t *testing.T) {
	r := Tables
	if got := strings.Join(r.Names(), " "); got != "blackhole datagen filesystem nexmark print" {
		t.Errorf("connectors %s", got)
	}
	d := &table.Definition{Path: "c.d.t", Columns: []table.Column{{Name: "a", Type: column.Of(column.Int)}}, Options: map[string]string{"connector": "pritn"}}
	_, err := r.Sink(d, table.InsertOnly)
	if want := "table c.d.t: there is no connector 'pritn'; did you mean 'print'? there are blackhole, datagen, filesystem, nexmark, print"; err == nil ||
		err.Error() != want {
		t.Errorf("got %v", err)
	}
	d.Options["connector"] = "print"
	if _, err := r.Source(d); err == nil || !strings.Contains(err.Error(), "cannot be read, only written") {
		t.Errorf("got %v", err)
	}
	if _, err := r.Sink(d, table.Retract); err != nil {
		t.Error(err)
	}
}
