Describe 'Update-SHBackupSchedule' {
    It 'finds nothing for a pattern, and says so for a name' {
        Update-SHBackupSchedule 'no such schedule*' | Should -BeNullOrEmpty
        { Update-SHBackupSchedule 'no such schedule' -ErrorAction Stop } | Should -Throw -ErrorId 'ScheduleNotFound,*'
    }
}
