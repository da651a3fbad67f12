package column

import (
	"math/big"
	"math/rand/v2"
	"testing"
)

func (a Int128) big() *big.Int {
	x := new(big.Int).Lsh(big.NewInt(a.Hi), 64)
	return x.Add(x, new(big.Int).SetUint64(a.Lo))
}

// randomDecimal has up to 38 digits, with many short ones, edges and zeros behind.
func randomDecimal(r *rand.Rand) Int128 {
	digits := r.IntN(39)
	x := new(big.Int).SetUint64(r.Uint64())
	x.Lsh(x, 64).Add(x, new(big.Int).SetUint64(r.Uint64()))
	x.Mod(x, Pow10[digits].big())
	switch r.IntN(6) {
	case 0:
		x.Sub(Pow10[digits].big(), big.NewInt(int64(r.IntN(3)+1)))
	case 1:
		zeros := Pow10[r.IntN(digits+1)].big()
		x.Sub(x, new(big.Int).Mod(x, zeros))
	}
	v := Int128{Lo: new(big.Int).And(x, new(big.Int).SetUint64(^uint64(0))).Uint64(), Hi: new(big.Int).Rsh(x, 64).Int64()}
	if r.IntN(2) == 0 {
		v = v.Neg()
	}
	return v
}

// halfUp is x / y rounded half away from zero.
func halfUp(x, y *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(x, y, new(big.Int))
	if r.Lsh(r.Abs(r), 1).CmpAbs(y) >= 0 {
		q.Add(q, big.NewInt(int64(x.Sign()*y.Sign())))
	}
	return q
}

func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

func TestInt128AgainstBig(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	limit := pow10(38)
	for range 40_000 {
		a, b := randomDecimal(r), randomDecimal(r)
		x, y := a.big(), b.big()
		product := new(big.Int).Mul(x, y)
		if p, ok := a.Mul(b); ok != (product.BitLen() <= 127) || ok && p.big().Cmp(product) != 0 {
			t.Fatalf("%s * %s = %s, %v", x, y, p, ok)
		}
		drop := r.IntN(40)
		want := halfUp(product, pow10(drop))
		if p, ok := MulScaled(a, b, drop); ok != (want.CmpAbs(limit) < 0) || ok && p.big().Cmp(want) != 0 {
			t.Fatalf("%s * %s / 10^%d = %s, %v, want %s", x, y, drop, p, ok, want)
		}
		if want := halfUp(x, pow10(drop)); a.ScaleDown(drop).big().Cmp(want) != 0 {
			t.Fatalf("%s / 10^%d = %s, want %s", x, drop, a.ScaleDown(drop), want)
		}
		if a.String() != x.String() || a.Digits() != len(new(big.Int).Abs(x).String()) && a.Sign() != 0 {
			t.Fatalf("%s is written %s with %d digits", x, a, a.Digits())
		}
		if a.Cmp(b) != x.Cmp(y) || a.Sign() != x.Sign() {
			t.Fatalf("comparing %s and %s", x, y)
		}
		if y.Sign() == 0 {
			continue
		}
		wantQ, wantR := new(big.Int).QuoRem(x, y, new(big.Int))
		if q, rem := a.QuoRem(b); q.big().Cmp(wantQ) != 0 || rem.big().Cmp(wantR) != 0 {
			t.Fatalf("%s / %s = %s rest %s, want %s rest %s", x, y, q, rem, wantQ, wantR)
		}
		checkDivision(t, r, a, b)
	}
}

// checkDivision compares with the two roundings done by big integers.
func checkDivision(t *testing.T, r *rand.Rand, a, b Int128) {
	shift, scale := r.IntN(77)-38, r.IntN(39)
	got, ok := DivScaled(a, b, shift, scale)
	want := new(big.Int)
	if a.Sign() != 0 {
		up := 120 // enough digits to find the first 38 of the quotient
		exact := new(big.Int).Mul(new(big.Int).Abs(a.big()), pow10(up))
		q := new(big.Int).Quo(exact, new(big.Int).Abs(b.big()))
		cut := len(q.String()) - 38
		if cut < 1 {
			t.Fatalf("the test's quotient %s is short", q)
		}
		q = halfUp(exact, new(big.Int).Mul(new(big.Int).Abs(b.big()), pow10(cut)))
		has := shift + up - cut
		if has >= scale {
			want = halfUp(q, pow10(has-scale))
		} else {
			want = q.Mul(q, pow10(scale-has))
		}
		if a.Sign()*b.Sign() < 0 {
			want.Neg(want)
		}
	}
	if fits := want.CmpAbs(pow10(38)) < 0; ok != fits || ok && got.big().Cmp(want) != 0 {
		t.Fatalf("%s / %s, shift %d, scale %d: %s, %v, want %s", a, b, shift, scale, got, ok, want)
	}
}

func TestAppendDecimal(t *testing.T) {
	for _, c := range []struct {
		v     int64
		scale int
		want  string
	}{{0, 0, "0"}, {0, 3, "0.000"}, {-5, 2, "-0.05"}, {12345, 2, "123.45"}, {-100, 0, "-100"}, {7, 7, "0.0000007"}} {
		if got := string(Int128From(c.v).AppendDecimal(nil, c.scale)); got != c.want {
			t.Errorf("%d scale %d: %q, want %q", c.v, c.scale, got, c.want)
		}
	}
	if got := string(Pow10[38].Neg().AppendDecimal(nil, 38)); got != "-1.00000000000000000000000000000000000000" {
		t.Error(got)
	}
}
