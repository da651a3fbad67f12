package config

import "fmt"

// judgeTogether checks options against each other. REQUIRES: each is right by itself.
func judgeTogether(s *Set) Problems {
	var problems Problems
	refuse := func(key, format string, args ...any) {
		e := s.entries[key]
		problems = append(problems, Problem{Kind: Conflict, Origin: e.Origin, Key: key, Message: fmt.Sprintf(format, args...)})
	}
	if storage, _ := CheckpointStorage.Lookup(s); storage == FilesystemStorage {
		if dir, _ := CheckpointDir.Lookup(s); dir == "" {
			refuse(CheckpointStorage.Key, "filesystem needs a directory: set %s", CheckpointDir.Key)
		}
	}
	if first, longest := ExponentialDelayInitial.Get(s), ExponentialDelayMax.Get(s); first > longest {
		key := ExponentialDelayInitial.Key
		if _, set := s.entries[key]; !set {
			key = ExponentialDelayMax.Key
		}
		refuse(key, "%s (%s) is longer than %s (%s)", ExponentialDelayInitial.Key, FormatDuration(first),
			ExponentialDelayMax.Key, FormatDuration(longest))
	}
	if p, most := Parallelism.Get(s), MaxParallelism.Get(s); most != -1 && p > most {
		from := ""
		if e, ok := s.entries[Parallelism.Key]; ok {
			from = ", from " + e.Origin.String()
		}
		refuse(MaxParallelism.Key, "%d is below %s (%d%s)", most, Parallelism.Key, p, from)
	}
	if size, queue := BatchSize.Get(s), QueueSize.Get(s); size > queue {
		key := BatchSize.Key
		if _, set := s.entries[key]; !set {
			key = QueueSize.Key
		}
		refuse(key, "a batch (%s, %s) must fit into a queue (%s, %s)", BatchSize.Key, size, QueueSize.Key, queue)
	}
	return problems
}
