/**
 * Among how many the level of a gate is shared: four SLOs, as many as a usual scenario has. Not among those there are: one
 * more SLO must not make a gate give way that held (docs/decisions/0013).
 */
export const GATE_LEVEL_SHARE = 4;
