package operator

// Fold is an aggregator as operators use it: its optional parts looked up once.
type Fold[T, A, R any] struct {
	Add    func(acc *A, v T)
	Merge  func(acc, from *A)
	Result func(acc *A) R
	Start  func(acc *A)              // nil: the zero value
	AddAll func(accs []*A, rows []T) // nil: Add one by one
}

// NewFold takes an aggregator apart.
func NewFold[T, A, R any](a interface {
	Add(acc *A, v T)
	Merge(acc, from *A)
	Result(acc *A) R
}) Fold[T, A, R] {
	f := Fold[T, A, R]{Add: a.Add, Merge: a.Merge, Result: a.Result}
	if s, ok := a.(interface{ Start(acc *A) }); ok {
		f.Start = s.Start
	}
	if b, ok := a.(interface{ AddAll(accs []*A, rows []T) }); ok {
		f.AddAll = b.AddAll
	}
	return f
}

// Count counts records.
type Count[T any] struct{}

// Add implements flott.Aggregator.
func (Count[T]) Add(acc *int64, _ T) { *acc++ }

// AddAll implements flott.BatchAdder.
func (Count[T]) AddAll(accs []*int64, _ []T) {
	for _, a := range accs {
		*a++
	}
}

// Merge implements flott.Aggregator.
func (Count[T]) Merge(acc, from *int64) { *acc += *from }

// Result implements flott.Aggregator.
func (Count[T]) Result(acc *int64) int64 { return *acc }

// Number is what can be added and compared.
type Number interface {
	int | int32 | int64 | uint64 | float32 | float64
}

// Sum adds up.
type Sum[T any, N Number] struct{ F func(T) N }

// Add implements flott.Aggregator.
func (s Sum[T, N]) Add(acc *N, v T) { *acc += s.F(v) }

// AddAll implements flott.BatchAdder.
func (s Sum[T, N]) AddAll(accs []*N, rows []T) {
	for i, a := range accs {
		*a += s.F(rows[i])
	}
}

// Merge implements flott.Aggregator.
func (Sum[T, N]) Merge(acc, from *N) { *acc += *from }

// Result implements flott.Aggregator.
func (Sum[T, N]) Result(acc *N) N { return *acc }

// Extreme is the accumulator of a least or greatest value.
type Extreme[N Number] struct {
	Any   bool
	Value N
}

// Least keeps the least value.
type Least[T any, N Number] struct{ F func(T) N }

// Add implements flott.Aggregator.
func (l Least[T, N]) Add(acc *Extreme[N], v T) {
	if x := l.F(v); !acc.Any || x < acc.Value {
		*acc = Extreme[N]{true, x}
	}
}

// Merge implements flott.Aggregator.
func (Least[T, N]) Merge(acc, from *Extreme[N]) {
	if from.Any && (!acc.Any || from.Value < acc.Value) {
		*acc = *from
	}
}

// Result implements flott.Aggregator.
func (Least[T, N]) Result(acc *Extreme[N]) N { return acc.Value }

// Greatest keeps the greatest value.
type Greatest[T any, N Number] struct{ F func(T) N }

// Add implements flott.Aggregator.
func (g Greatest[T, N]) Add(acc *Extreme[N], v T) {
	if x := g.F(v); !acc.Any || x > acc.Value {
		*acc = Extreme[N]{true, x}
	}
}

// Merge implements flott.Aggregator.
func (Greatest[T, N]) Merge(acc, from *Extreme[N]) {
	if from.Any && (!acc.Any || from.Value > acc.Value) {
		*acc = *from
	}
}

// Result implements flott.Aggregator.
func (Greatest[T, N]) Result(acc *Extreme[N]) N { return acc.Value }

// Mean is the accumulator of an average.
type Mean struct {
	Sum   float64
	Count int64
}

// Average is the arithmetic mean.
type Average[T any] struct{ F func(T) float64 }

// Add implements flott.Aggregator.
func (a Average[T]) Add(acc *Mean, v T) {
	acc.Sum += a.F(v)
	acc.Count++
}

// Merge implements flott.Aggregator.
func (Average[T]) Merge(acc, from *Mean) {
	acc.Sum += from.Sum
	acc.Count += from.Count
}

// Result implements flott.Aggregator.
func (Average[T]) Result(acc *Mean) float64 {
	if acc.Count == 0 {
		return 0
	}
	return acc.Sum / float64(acc.Count)
}
