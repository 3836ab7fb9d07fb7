namespace Bulwark.Lineage;
