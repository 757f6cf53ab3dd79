/** Index of the first number of an ascending list that is not below another; the list's length where all are. O(log n) @param length of the list, or of its beginning alone */
export function firstFrom(list: ArrayLike<number>, wanted: number, length = list.length): number {
  let low = 0
  for (let high = length; low < high;) {
    const middle = (low + high) >> 1
    if ((list[middle] ?? Infinity) < wanted) low = middle + 1
    else high = middle
  }
  return low
}
