package operator

// dueQueue is a heap of keys by the time at which something is to be done for them. It is not state: it is built anew from the state that it
// points into.
type dueQueue[K comparable] []due[K]

type due[K comparable] struct {
	at   int64
	hash uint64
	key  K
}

func (q *dueQueue[K]) push(d due[K]) {
	h := append(*q, d)
	*q = h
	i := len(h) - 1
	for i > 0 {
		up := (i - 1) / 4
		if h[up].at <= d.at {
			break
		}
		h[i] = h[up]
		i = up
	}
	h[i] = d
}

// pop removes an entry with the least time. REQUIRES: there is one.
func (q *dueQueue[K]) pop() due[K] {
	h := *q
	top := h[0]
	n := len(h) - 1
	d := h[n]
	h[n] = due[K]{}
	h = h[:n]
	*q = h
	if n == 0 {
		return top
	}
	i := 0
	for {
		first := 4*i + 1
		if first >= n {
			break
		}
		least := first
		for c := first + 1; c < min(first+4, n); c++ {
			if h[c].at < h[least].at {
				least = c
			}
		}
		if h[least].at >= d.at {
			break
		}
		h[i] = h[least]
		i = least
	}
	h[i] = d
	return top
}
