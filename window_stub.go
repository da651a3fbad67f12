package flott

type timerService[K comparable] struct{ hash func(*K) uint64 }
type timerKind uint8

const (
	eventTimers timerKind = iota
	processingTimers
)

func (t *timerService[K]) set(k any, kind timerKind, at int64)    {}
func (t *timerService[K]) delete(k any, kind timerKind, at int64) {}
func (t *timerService[K]) next() int64                            { return 1<<63 - 1 }
func (t *timerService[K]) open(c any, a, b bool) error            { return nil }
func (t *timerService[K]) due(kind timerKind, upTo int64, f func(K, uint64, int64) error) (bool, error) {
	return false, nil
}
