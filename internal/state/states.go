package state

// States describes the states that were registered, in that order. The slice is the caller's to read.
func (b *Backend) States() []StateInfo {
	infos := make([]StateInfo, len(b.states))
	for i, s := range b.states {
		infos[i] = s.info()
	}
	return infos
}
