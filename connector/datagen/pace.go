package datagen

import "time"

const (
	// paceStepNs is how long a reader at its rate rests at least: the resolution of processing time.
	paceStepNs = int64(time.Millisecond)
	// paceBurstNs is for how long a reader makes up when it was held up.
	paceBurstNs = int64(time.Second)
)

// pace lets perSec records pass in a second of processing time, which is asked for once per batch.
type pace struct {
	perSec float64
	begun  bool
	lastMs int64
	credit float64 // records
	waitNs int64   // until the next record may pass
	timer  *time.Timer
}

// take returns how many of n records may pass now, of a share of the rate.
func (p *pace) take(nowMs, n int64, share float64) int64 {
	perNs := p.perSec * share / 1e9
	if !p.begun {
		p.begun, p.lastMs, p.credit = true, nowMs, 1
	}
	// A clock that goes backwards only pauses.
	p.credit += float64(max(0, nowMs-p.lastMs)*int64(time.Millisecond)) * perNs
	p.credit = min(p.credit, max(1, float64(paceBurstNs)*perNs))
	p.lastMs = nowMs
	if p.credit < 1 {
		p.waitNs = max(paceStepNs, int64((1-p.credit)/perNs))
		return 0
	}
	n = min(n, int64(p.credit))
	p.credit -= float64(n)
	return n
}

// wake calls f when the next record may pass.
func (p *pace) wake(f func()) {
	if p.timer == nil {
		p.timer = time.AfterFunc(time.Duration(p.waitNs), f)
		return
	}
	p.timer.Reset(time.Duration(p.waitNs))
}

func (p *pace) stop() {
	if p.timer != nil {
		p.timer.Stop()
	}
}
