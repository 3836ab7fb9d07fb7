namespace Bulwark.Data;
