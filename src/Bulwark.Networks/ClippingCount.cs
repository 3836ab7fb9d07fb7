namespace Bulwark.Networks;

/// <summary>What one clipped sum came to; both figures depend on the rows directly and are not private.</summary>
/// <param name="TotalLoss">Sum of weighted losses.</param>
/// <param name="ClippedRows">Rows whose gradient was shortened or dropped.</param>
public readonly record struct ClippingCount(double TotalLoss, int ClippedRows);
