package expr

// All lists every function there is, by family.
var All = [][]*Func{logicFuncs, compareFuncs, arithmeticFuncs, accessFuncs, mathFuncs, roundFuncs, extremeFuncs, floorFuncs, textFuncs,
	textEditFuncs, regexpFuncs, urlFuncs, printfFuncs, hashFuncs, conditionalFuncs, temporalFuncs, temporalConvertFuncs, nowFuncs, arrayFuncs,
	mapFuncs, jsonFuncs, variantFuncs, bitmapFuncs}
