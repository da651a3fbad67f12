package config_test

import (
	"strings"
	"testing"

	"github.com/flottio/flott/config"
)

// A problem names where the value was written, and where the one that it contradicts was.
func TestProblemsNameTheTrueOrigin(t *testing.T) {
	s := config.New()
	s.Read("conf/config.yaml", []byte("pipeline:\n  max-parallelism: 4\n"))
	s.DefineFlag("--parallelism", "parallelism.default", "8")
	err := s.Validate()
	want := "conf/config.yaml:2:20: pipeline.max-parallelism: 4 is below parallelism.default (8, from --parallelism)"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q in it", err, want)
	}
	s = config.New()
	s.DefineFlag("-p", "parallelism.default", "many")
	s.DefineEnv("FLOTT_PROPERTIES", "execution.checkpointing.mode: MAYBE")
	s.Define("state.backend.type=heap")
	err = s.Validate()
	for _, want := range []string{"-p: parallelism.default: ", "env FLOTT_PROPERTIES:1", "-D: state.backend.type: "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
}
