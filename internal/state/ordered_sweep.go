package state

// sweepKeys is how many keys a call of Sweep looks at.
const sweepKeys = 128

// Sweep removes some of the keys that were stamped before the time; call it again and again, when no vector is under way. It reports
// whether it has come to the end of a round.
func (o *Ordered[K]) Sweep(beforeMs int64) (ended bool, err error) {
	if o.sweep == nil {
		o.sweep, o.swept = make([]K, sweepKeys), make([]*orderedHead, sweepKeys)
	}
	n, next, err := o.heads.Scan(o.cursor, o.sweep, o.swept)
	if err != nil {
		return false, err
	}
	o.cursor = next
	old := o.sweep[:0]
	for j := range n {
		if o.swept[j].StampMs < beforeMs {
			old = append(old, o.sweep[j])
		}
	}
	for j := range old {
		if err := o.expire(&old[j], beforeMs); err != nil {
			return false, err
		}
	}
	return next == 0, nil
}

// expire looks again before it removes: a scan of a store sees entries as they were when it began.
func (o *Ordered[K]) expire(k *K, beforeMs int64) error {
	hash := o.heads.Hash(k)
	if err := o.At([]K{*k}, []uint64{hash}, Change); err != nil {
		return err
	}
	if o.at[0] != nil && o.at[0].StampMs < beforeMs {
		if err := o.Clear(0); err != nil {
			return err
		}
	}
	return o.Done()
}
