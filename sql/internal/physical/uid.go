package physical

import (
	"fmt"
	"strings"

	"github.com/zeebo/xxh3"
)

// State is found again under uids. A uid is made of what an operator computes, by names of tables and columns and not by places: a hash of
// which rows reach it and of what keeps its state apart. Columns that are only passed on and statements elsewhere do not count. Operators
// that compute the same are numbered.

const uidMaxBytes = 200

// nameStates gives every operator with state its uid.
func (p *Plan) nameStates() {
	used := map[string]int{}
	for _, n := range p.nodes {
		if !isStateful(n) {
			continue
		}
		uid := n.stateName()
		if used[uid]++; used[uid] > 1 {
			uid = fmt.Sprintf("%s-%d", uid, used[uid])
		}
		n.uid = uid
	}
}

func (n *Node) stateName() string {
	switch op := n.Op.(type) {
	case *sourceOp:
		return plainOrHash("source ", n.rows)
	case *sinkOp:
		return plainOrHash("sink ", op.def.Path)
	}
	return fmt.Sprintf("%s-%016x", n.Op.name(), xxh3.HashString(n.rows))
}

// plainOrHash is the text itself if a name may be like that.
func plainOrHash(what, text string) string {
	if len(text) <= uidMaxBytes && !strings.ContainsAny(text, "\x00\n\r") {
		return what + text
	}
	return fmt.Sprintf("%s%016x", what, xxh3.HashString(text))
}
