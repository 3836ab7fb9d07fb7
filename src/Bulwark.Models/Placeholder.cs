namespace Bulwark.Models;
