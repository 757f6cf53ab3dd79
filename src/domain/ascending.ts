/** Index of the first number of an ascending list that is not below another; the list's length where all are. O(log n) */
export function firstFrom(list: readonly number[], wanted: number): number {
  let low = 0
  for (let high = list.length; low < high;) {
    const middle = (low + high) >> 1
    if ((list[middle] ?? Infinity) < wanted) low = middle + 1
    else high = middle
  }
  return low
}
